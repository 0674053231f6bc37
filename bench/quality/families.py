"""What is trained: families of losses, each a curve from the mean to the tail as its options go."""

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any, NamedTuple

Options = dict[str, Any]

WINDOW = 4096
PERCENTILES = (0.9, 0.95, 0.99)
SCALES = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
# κ is in 1/error: of targets divided by their standard deviation.
SMOOTHING = {"smoothing_factor": 5.0, "gradient": "fixed_weight"}
# κ is in 1/t, whatever the scale of the values.
IN_THRESHOLDS = {"smoothing_unit": "threshold", **SMOOTHING}
IN_ERRORS = {"smoothing_unit": "error", **SMOOTHING}
# Averages of the k largest with k = f·n are CVaR at 1 − f: one family.
CVAR = "CVaR, average top-k"
L_Q = "L_q"
TAIL_WEIGHTED = "TailWeightedLoss"


class Family(NamedTuple):
    """Losses of one kind.

    Attributes:
        kind: By which name a loss is made.
        grid: Options of each.
        ours: Whether only tailops has it.
        tasks: What it is for: numbers, classes.
        everywhere: Whether it is trained at every batch size; else at the main ones.
    """

    kind: str
    grid: list[Options]
    ours: bool = False
    tasks: tuple[str, ...] = ("numbers", "classes")
    everywhere: bool = False


def _grid(**values: Any) -> list[Options]:
    """Every combination."""
    return [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]


def _with(grid: list[Options], **others: Any) -> list[Options]:
    return [options | others for options in grid]


NUMBERS, CLASSES = ("numbers",), ("classes",)
_TAILS = _grid(percentile=PERCENTILES, error_scale=SCALES)
_WEIGHTED = _with(_TAILS, **IN_THRESHOLDS)
_CVAR = _grid(percentile=(0.3, 0.5, 0.7, 0.8, 0.9))
_HYBRID = _with(
    _grid(percentile=(0.95,), error_scale=(5.0, 10.0, 20.0, 50.0), beta=(0.2, 0.5, 0.8)),
    **SMOOTHING,
)

FAMILIES: dict[str, Family] = {
    L_Q: Family("Power", _grid(q=(1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)), everywhere=True),
    CVAR: Family("CVaRLoss", _CVAR, everywhere=True),
    TAIL_WEIGHTED: Family("TailWeightedLoss", _WEIGHTED, ours=True, everywhere=True),
    "Huber": Family("Huber", _grid(delta=(0.1, 0.25, 0.5, 1.0, 2.0)), tasks=NUMBERS),
    "log-cosh": Family("LogCosh", _grid(delta=(0.1, 0.3, 1.0, 3.0)), tasks=NUMBERS),
    "focal": Family("Focal", _grid(gamma=(0.5, 1.0, 2.0, 3.0, 5.0)), tasks=CLASSES),
    "hard step": Family("HardStep", _TAILS),
    "TailWeightedLoss, squared": Family(
        "TailWeightedLoss",
        _with(
            _grid(percentile=PERCENTILES, error_scale=(0.5, 1.0, 2.0, 5.0, 10.0)),
            squared=True,
            **IN_THRESHOLDS,
        ),
        ours=True,
        tasks=NUMBERS,
    ),
    "HybridPercentileLoss": Family("HybridPercentileLoss", _HYBRID, ours=True, tasks=NUMBERS),
    "MaxFractionLoss": Family(
        "MaxFractionLoss",
        _with(_grid(fraction=(0.3, 0.5, 0.7), error_scale=(5.0, 20.0)), **SMOOTHING),
        ours=True,
        tasks=NUMBERS,
    ),
    "TailWeightedLoss, window": Family(
        "TailWeightedLoss", _with(_WEIGHTED, window=WINDOW), ours=True, everywhere=True
    ),
    "HybridPercentileLoss, window": Family(
        "HybridPercentileLoss", _with(_HYBRID, window=WINDOW), ours=True, tasks=NUMBERS
    ),
    "CVaR, window": Family("CVaRLoss", _with(_CVAR, window=WINDOW), ours=True),
    "TailWeightedLoss, κ = 2": Family(
        "TailWeightedLoss",
        _with(
            _grid(percentile=(0.95, 0.99), error_scale=(5.0, 10.0, 20.0, 50.0)),
            **(IN_THRESHOLDS | {"smoothing_factor": 2.0}),
        ),
        ours=True,
    ),
    "TailWeightedLoss, κ in 1/e": Family("TailWeightedLoss", _with(_TAILS, **IN_ERRORS), ours=True),
}


class Schedule(NamedTuple):
    """For a table: batch sizes, those at which everything is trained, and passes over its rows."""

    batches: tuple[int, ...]
    main: tuple[int, ...]
    passes: int


# Samples that a model sees, where that takes no more passes than these.
SAMPLES, MOST_PASSES = 500_000, 40
# Batch sizes, and the main ones.
BATCHES = {
    "california_housing": ((32, 512, 16, 128), (32, 512)),
    "diamonds": ((32, 512, 16, 128), (32, 512)),
    "synthetic": ((512,), (512,)),
}
OTHERS: tuple[tuple[int, ...], tuple[int, ...]] = ((32,), (32,))


def schedule_of(table: str, rows: int) -> Schedule:
    """By what the table is, and how many rows it trains with."""
    return Schedule(*BATCHES.get(table, OTHERS), max(1, min(MOST_PASSES, round(SAMPLES / rows))))


class Config(NamedTuple):
    """A loss of a family, at a batch size; whether that is a main one."""

    family: str
    kind: str
    options: Options
    batch: int
    main: bool


def configs(schedule: Schedule, task: str, chosen: Collection[str]) -> Iterator[Config]:
    """Everything for a table, of the chosen families."""
    for batch in schedule.batches:
        main = batch in schedule.main
        for name in chosen:
            family = FAMILIES[name]
            if task in family.tasks and (family.everywhere or main):
                for options in family.grid:
                    yield Config(name, family.kind, options, batch, main)
