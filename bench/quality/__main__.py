"""`python -m bench.quality`: trains what is missing, and writes the results as JSON.

A run that was cut off goes on where it was: what has been trained lies in --cache.
"""

import argparse
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from bench import results
from bench.options import positive
from bench.quality import data, families
from bench.quality.cache import Cache
from bench.quality.train import SECONDS, key_of, train_missing

SEEDS = 5
Jobs = list[tuple[families.Config, dict[str, Any]]]


def _jobs(tables: list[data.Table], chosen: Collection[str], smoke: bool) -> Jobs:
    """Everything, main batch sizes first."""
    jobs = [job for table in tables for job in _of_table(table, chosen)]
    if smoke:
        jobs = [job for job in jobs if job[0].options in families.FAMILIES[job[0].family].grid[:2]]
        jobs = [(config, job | {"epochs": 1}) for config, job in jobs if config.main]
    return sorted(jobs, key=lambda job: not job[0].main)


def _of_table(table: data.Table, chosen: Collection[str]) -> Iterator[Any]:
    schedule = families.schedule_of(table.name, table.training_rows)
    for config in families.configs(schedule, table.task, chosen):
        if config.batch <= table.training_rows:
            yield (
                config,
                {
                    "table": table.name,
                    "loss": config.kind,
                    "options": config.options,
                    "batch": config.batch,
                    "epochs": schedule.passes,
                },
            )


def _about(table: data.Table) -> dict[str, Any]:
    about: dict[str, Any] = {"name": table.name, "about": table.about, "rows": len(table.y)}
    about["task"] = table.task
    if not table.classes:
        about["standard_deviation"] = float(f"{table.y.std():.5g}")
    if table.noise is not None:
        noise = np.abs(table.noise)
        values = [noise.mean(), *np.quantile(noise, [0.5, 0.9, 0.99, 1.0])]
        names = ("mean", "p50", "p90", "p99", "max")
        about["noise"] = {k: float(f"{v:.5g}") for k, v in zip(names, values, strict=True)}
    return about


def _fits(jobs: Jobs, cache: Cache, seeds: int) -> Iterator[dict[str, Any]]:
    """A row for each loss of which all seeds are known."""
    for config, job in jobs:
        found = [cache.get(key_of(job, seed)) for seed in range(seeds)]
        known = [statistics for statistics in found if statistics is not None]
        if len(known) == seeds:
            values = {name: [statistics[name] for statistics in known] for name in known[0]}
            seconds = sum(values.pop(SECONDS))
            yield {"family": config.family, **job, **values, SECONDS: float(f"{seconds:.3g}")}


def main() -> None:
    """Trains, writes the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--csv", type=Path, help="a table with a header, besides the bundled ones")
    parser.add_argument("--target", default="", help="the column to predict, with --csv")
    parser.add_argument("--tables", nargs="+", choices=list(data.BUNDLED), default=[*data.BUNDLED])
    parser.add_argument(
        "--families", nargs="+", choices=list(families.FAMILIES), default=[*families.FAMILIES]
    )
    parser.add_argument("--seeds", type=positive, default=SEEDS)
    parser.add_argument("--processes", type=positive, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=Path("out/quality.jsonl"))
    parser.add_argument("--cached", action="store_true", help="train nothing, write what there is")
    parser.add_argument("--smoke", action="store_true", help="one epoch, two losses of each family")
    parser.add_argument("--output", type=Path, default=results.FOLDER / "quality.json")
    arguments = parser.parse_args()
    if arguments.csv is not None and not arguments.csv.is_file():
        parser.error(f"--csv {arguments.csv}: must be a file")

    of_csv = [data.name_of(arguments.csv)] if arguments.csv else []
    names = dict.fromkeys(of_csv + arguments.tables)
    tables = [data.table(name, arguments.csv, arguments.target) for name in names]
    jobs = _jobs(tables, arguments.families, arguments.smoke)
    cache = Cache(arguments.cache)
    if not arguments.cached:
        todo = [job for _, job in jobs]
        csv = (arguments.csv, arguments.target)
        train_missing(todo, cache, list(range(arguments.seeds)), arguments.processes, csv)
    results.write(
        arguments.output,
        {
            **results.about("make quality"),
            "seeds": arguments.seeds,
            "processes": arguments.processes,
            "tables": [_about(table) for table in tables],
            "fits": list(_fits(jobs, cache, arguments.seeds)),
        },
    )


if __name__ == "__main__":
    main()
