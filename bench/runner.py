"""Runs the suites in one process, and prints a line for each case as it is done."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from bench import kernels, results, scaling, suites, train_step
from bench.match import OURS, THREADS, Case
from bench.timing import slope

Row = dict[str, Any]
ROUNDS = 9
KERNELS_OF = 10_000_000
SIZES = ("n", "groups", "threads")


def _plan() -> list[tuple[Case, Callable[[Case, float], Row]]]:
    return [
        *((case, suites.run_case) for case in suites.cases()),
        *((case, train_step.run_case) for case in train_step.cases()),
    ]


def _in_order(rows: list[Row]) -> list[Row]:
    """As a run of everything has them, however many runs measured them."""
    order = {case: i for i, (case, _) in enumerate(_plan())}
    return sorted(rows, key=lambda row: order.get(Case(*(row[k] for k in Case._fields)), 0))


def _cases(only: re.Pattern[str], seconds: float) -> Iterator[Row]:
    for case, play in _plan():
        if only.search(case.name):
            row = play(case, seconds)
            keras.backend.clear_session()
            _print_row(case.name, row)
            yield row


def _kernels(only: re.Pattern[str], largest: int) -> Iterator[Row]:
    for row in kernels.run(min(largest, KERNELS_OF), ROUNDS) if only.search("kernels") else ():
        print(
            f"kernels | {row['data']} | {row['pass']}: {row['bytes'] / 1e6:.0f} MB, "
            f"{row['bytes'] / row['seconds'] / 1e9:.1f} GB/s, "
            f"{1 / row['times_floor']:.0%} of the floor's, {row['times_floor']:.3g} x its time",
            flush=True,
        )
        yield row


def _print_row(name: str, row: Row) -> None:
    ours = row["who"][OURS]["seconds"]
    cells = (f"{who} {of['seconds'] / ours:.3g}x" for who, of in row["who"].items())
    print(f"{name}\n    {ours * 1e3:.3g} ms: {', '.join(cells)}", flush=True)
    for who, why in row.get("left_out", {}).items():
        print(f"    left out: {who}: {why}", flush=True)


def _scaling(only: re.Pattern[str], largest: int, seconds: float) -> Iterator[Row]:
    rows = []
    for row in scaling.run(largest, seconds) if only.search("scaling") else ():
        rows.append(row)
        cells = (f"{name} {row[name]['seconds'] * 1e3:.3g} ms" for name in scaling.PASSES)
        print(
            f"scaling with {row['by']} | n {row['n']}, groups {row['groups']}, "
            f"threads {row['threads']}: {', '.join(cells)}",
            flush=True,
        )
        yield row
    large = [row for row in rows if row["by"] == scaling.BY_SIZE and row["n"] >= 10_000]
    for name in scaling.PASSES if len(large) > 1 else ():
        of_n = slope([r["n"] for r in large], [r[name]["seconds"] for r in large])
        print(f"log-log slope of {name} against n, from 1e4: {of_n:.3f}")


def _key(row: Row) -> tuple[Any, ...]:
    """What a row is of: all but what was measured."""
    return tuple((k, v) for k, v in row.items() if isinstance(v, str) or k in SIZES)


def run(only: re.Pattern[str], seconds: float, largest: int, output: Path) -> None:
    """Everything whose name matches; rows of the same in the file are replaced, one by one.

    Raises:
        ValueError: Nothing matches.
    """
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    began = time.perf_counter()
    parts = {
        "cases": _cases(only, seconds),
        "kernels": _kernels(only, largest),
        "scaling": _scaling(only, largest, seconds),
    }
    before = results.read(output) if output.exists() else {}
    found = {name: {_key(row): row for row in before.get(name, [])} for name in parts}
    measured = 0
    for name, rows in parts.items():
        for row in rows:
            found[name][_key(row)] = row
            measured += 1
            lists = {part: list(of.values()) for part, of in found.items()}
            lists["cases"] = _in_order(lists["cases"])
            results.write(output, {**results.about("make bench"), **lists})
    if not measured:
        raise ValueError(f"--only {only.pattern}: must match the name of a case")
    print(f"{measured} rows, {time.perf_counter() - began:.0f} s")
