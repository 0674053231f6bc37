"""`python -m bench.quality`: trains what is missing, and writes the results as JSON.

A run that was cut off goes on where it was: what has been trained lies in --cache.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np

from bench import results
from bench.options import positive
from bench.quality import data, grid
from bench.quality.cache import Cache
from bench.quality.train import key_of, train_missing


def _jobs(table: data.Table, smoke: bool) -> list[tuple[grid.Config, dict[str, Any]]]:
    schedule = grid.schedule_of(table.name, len(table.y))
    rows = len(table.y) - -(-len(table.y) // 5)
    jobs = []
    for config in grid.configs(schedule):
        if config.batch > rows or (smoke and config.batch != schedule.batches[0]):
            continue
        job = {
            "table": table.name,
            "loss": config.kind,
            "options": config.options,
            "batch": config.batch,
            "epochs": 1 if smoke else schedule.epochs(rows, config.batch),
        }
        jobs.append((config, job))
    return jobs


def _about(table: data.Table) -> dict[str, Any]:
    about: dict[str, Any] = {"name": table.name, "about": table.about, "rows": len(table.y)}
    about["standard_deviation"] = float(f"{table.y.std():.5g}")
    if table.noise is not None:
        noise = np.abs(table.noise)
        values = [noise.mean(), *np.quantile(noise, [0.5, 0.9, 0.99, 1.0])]
        names = ("mean", "p50", "p90", "p99", "max")
        about["noise"] = {k: float(f"{v:.5g}") for k, v in zip(names, values, strict=True)}
    return about


def _rows(
    jobs: list[tuple[grid.Config, dict[str, Any]]], cache: Cache, seeds: int
) -> list[dict[str, Any]]:
    rows = []
    for config, job in jobs:
        found = [cache.get(key_of(job, seed)) for seed in range(seeds)]
        known = [statistics for statistics in found if statistics is not None]
        if len(known) == seeds:
            values = {name: [statistics[name] for statistics in known] for name in known[0]}
            rows.append({"section": config.section, "label": config.label, **job, **values})
    return rows


def main() -> None:
    """Trains, times an epoch, writes the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--csv", type=Path, help="a table with a header, besides the bundled ones")
    parser.add_argument("--target", default="", help="the column to predict, with --csv")
    parser.add_argument("--tables", nargs="+", choices=list(data.BUNDLED), default=[*data.BUNDLED])
    parser.add_argument("--seeds", type=positive, default=grid.SEEDS)
    parser.add_argument("--processes", type=positive, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=Path("out/quality.jsonl"))
    parser.add_argument("--cached", action="store_true", help="train nothing, write what there is")
    parser.add_argument("--smoke", action="store_true", help="one epoch, one batch size")
    parser.add_argument("--output", type=Path, default=results.FOLDER / "quality.json")
    arguments = parser.parse_args()
    if arguments.csv is not None and not arguments.csv.is_file():
        parser.error(f"--csv {arguments.csv}: must be a file")

    of_csv = [data.name_of(arguments.csv)] if arguments.csv else []
    names = dict.fromkeys(of_csv + arguments.tables)
    tables = [data.table(name, arguments.csv, arguments.target) for name in names]
    jobs = {table.name: _jobs(table, arguments.smoke) for table in tables}
    cache = Cache(arguments.cache)
    if not arguments.cached:
        todo = [job for of_table in jobs.values() for _, job in of_table]
        csv = (arguments.csv, arguments.target)
        train_missing(todo, cache, list(range(arguments.seeds)), arguments.processes, csv)

    from bench.quality import epoch_time

    times = epoch_time.measure(tables[0], batches=(32, 512, 4096))
    results.write(
        arguments.output,
        {
            **results.about("make quality"),
            "seeds": arguments.seeds,
            "tables": [_about(table) for table in tables],
            "fits": [
                row for of_table in jobs.values() for row in _rows(of_table, cache, arguments.seeds)
            ],
            "epoch_seconds": times,
        },
    )


if __name__ == "__main__":
    main()
