"""One way of running the cases: interleaved, into a file of results."""

import re
import time
from pathlib import Path
from typing import Any

import keras

from bench import environment, results, scaling, suites
from bench.case import OURS, Row
from bench.match import play
from bench.timing import slope

PARTS = ("cases", "kernels", "scaling")
SIZES = ("n", "groups", "threads")


def _line(part: str, name: str, row: Row) -> str:
    if part == "kernels":
        return (
            f"{name} | {row['pass']}: {row['bytes'] / 1e6:.0f} MB, "
            f"{row['bytes'] / row['seconds'] / 1e9:.1f} GB/s, "
            f"{1 / row['times_floor']:.0%} of the floor's, {row['times_floor']:.3g} x its time"
        )
    if part == "scaling":
        passes = ((key, of) for key, of in row.items() if isinstance(of, dict))
        return f"{name}: " + ", ".join(f"{key} {of['seconds'] * 1e3:.3g} ms" for key, of in passes)
    ours = row["who"][OURS]["seconds"]
    cells = ", ".join(f"{who} {of['seconds'] / ours:.3g}x" for who, of in row["who"].items())
    left_out = (f"\n    left out: {who}: {why}" for who, why in row.get("left_out", {}).items())
    return f"{name}\n    {ours * 1e3:.3g} ms: {cells}{''.join(left_out)}"


def _print_slopes(rows: list[Row]) -> None:
    large = [row for row in rows if row["by"] == scaling.BY_SIZE and row["n"] >= 10_000]
    for name in large[0] if len(large) > 1 else ():
        if isinstance(large[0][name], dict):
            of_n = slope([row["n"] for row in large], [row[name]["seconds"] for row in large])
            print(f"log-log slope of {name} against n, from 1e4: {of_n:.3f}")


def _key(row: Row) -> tuple[Any, ...]:
    """What a row is of: all but what was measured."""
    return tuple((k, v) for k, v in row.items() if isinstance(v, str) or k in SIZES)


def _in_order(part: str, rows: list[Row]) -> list[Row]:
    """Those of cases as a run of everything has them, however many runs measured them."""
    if part != "cases":
        return rows
    order = {case.name: i for i, case in enumerate(suites.cases())}
    return sorted(rows, key=lambda row: order.get(_name(row), 0))


def _name(row: Row) -> str:
    return " | ".join(str(row[key]) for key in ("what", "n", "data", "dtype", "shape"))


def run(only: re.Pattern[str], seconds: float, largest: int, output: Path) -> None:
    """Everything whose name matches; rows of the same in the file are replaced, one by one.

    Raises:
        ValueError: Nothing matches.
    """
    environment.set_threads()
    began = time.perf_counter()
    before = results.read(output) if output.exists() else {}
    found = {part: {_key(row): row for row in before.get(part, [])} for part in PARTS}
    measured: list[Row] = []
    for case in suites.cases(only, largest):
        for row in case.rows(play(case, seconds)):
            print(_line(case.part, case.name, row), flush=True)
            found[case.part][_key(row)] = row
            measured.append(row)
        keras.backend.clear_session()
        lists = {part: _in_order(part, list(of.values())) for part, of in found.items()}
        results.write(output, {**results.about("make bench"), **lists})
    _print_slopes([row for row in measured if "by" in row])
    print(f"{len(measured)} rows, {time.perf_counter() - began:.0f} s")
