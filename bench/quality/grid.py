"""What is trained: every main loss over batch sizes; then one option at a time."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.quality.losses import BASE, MAIN, SCALED, Options

SEEDS = 5
BATCHES = (512, 4096, 32, 128)
# One option at a time is changed at this size.
SWEEP_BATCH = 512
SWEEPS: dict[str, list[Any]] = {
    "percentile": [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0],
    "smoothing_factor": [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 100.0, 1000.0],
    "error_scale": [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0],
    "gradient": ["fixed_weight", "fixed_threshold", "exact"],
    "error": ["absolute", "smooth_absolute", "squared"],
}
CROSSED_PERCENTILES = (0.9, 0.95, 0.99)
CROSSED_BATCHES = BATCHES


class Schedule(NamedTuple):
    """For a table: passes over it, or more to make so many updates; and how much is tried."""

    passes: int
    updates: int
    batches: tuple[int, ...] = BATCHES
    sweep_batch: int | None = None

    def epochs(self, rows: int, batch: int) -> int:
        """How many passes over so many rows."""
        return max(self.passes, math.ceil(self.updates / (rows // batch)))


LARGE = Schedule(30, 400, BATCHES, SWEEP_BATCH)
SMALL = Schedule(40, 400, (64,))
SYNTHETIC = Schedule(3, 400, (4096,))


class Config(NamedTuple):
    """One cell of a section: a loss, by name and options, at a batch size."""

    section: str
    label: str
    kind: str
    options: Options
    batch: int


def schedule_of(table: str, rows: int) -> Schedule:
    """By what the table is."""
    if table == "synthetic":
        return SYNTHETIC
    return LARGE if rows >= 5000 else SMALL


def _sweeps(batch: int) -> Iterator[Config]:
    for option, values in SWEEPS.items():
        for value in values:
            changed = {**BASE, option: value}
            yield Config(option, str(value), "PercentileLoss", changed, batch)
    for error_scale in (2.0, 5.0, 10.0, 20.0):
        options = {**BASE, "error_scale": error_scale, "error": "squared"}
        yield Config("squared", f"{error_scale:g}", "PercentileLoss", options, batch)
    for beta in (0.2, 0.5, 0.8):
        options = {**BASE, "beta": beta}
        yield Config("beta", f"{beta:g}", "HybridPercentileLoss", options, batch)
    for fraction in (0.2, 0.5, 0.8):
        options = {"fraction": fraction, "error_scale": 20.0, **SCALED}
        yield Config("fraction", f"{fraction:g}", "MaxFractionLoss", options, batch)
    for share in (0.05, 0.2, 0.5):
        options = {"fraction": share}
        yield Config("the largest errors alone", f"{share:g}", "TopFraction", options, batch)


def configs(schedule: Schedule) -> Iterator[Config]:
    """Everything for a table, what matters most first."""
    for batch in schedule.batches:
        for label, (kind, options) in MAIN.items():
            yield Config("losses", label, kind, options, batch)
        if batch == schedule.sweep_batch:
            yield from _sweeps(batch)
    if schedule is LARGE:
        for batch in CROSSED_BATCHES:
            for percentile in CROSSED_PERCENTILES:
                options = {**BASE, "percentile": percentile}
                label = f"{percentile:g}"
                yield Config("percentile and batch", label, "PercentileLoss", options, batch)
