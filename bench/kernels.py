"""The kernels alone against the floor: reading two arrays, and writing one more.

Rounds are interleaved; every row is the median over rounds, its ratio the median of the ratios to
the floor of the same round and of the same bytes on as many threads.
"""

import statistics
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from bench.baselines import PUBLISHED
from bench.inputs import DATA
from bench.match import THREADS
from bench.timing import interleaved, times_floor
from tailops import _kernels, kernels
from tailops._options import TailOptions, forced


class Case(NamedTuple):
    """Residuals, against targets of zero, and how the kernels are called."""

    name: str
    residuals: Callable[[], np.ndarray]
    options: TailOptions = PUBLISHED
    reduction: str = "mean"
    threads: int = 1
    selection: str = "auto"


def data_cases(n: int) -> Iterator[Case]:
    """What a selection may find hard."""
    rng = np.random.default_rng(0)
    normal = DATA["random"](n)
    for name, make in DATA.items():
        yield Case(name, lambda make=make: make(n))
    yield Case("two values", lambda: rng.choice(np.float32([0.25, 0.75]), n))
    yield Case("half zeros", lambda: np.where(rng.random(n) < 0.5, np.float32(0), normal))
    yield Case(
        "30 % ignored",
        lambda: np.where(rng.random(n) < 0.3, np.float32(np.nan), normal),
        TailOptions(0.99, 100.0, ignore_nan=True),
    )
    yield Case("one exponent", lambda: rng.uniform(1, 2, n).astype(np.float32))
    yield Case("a bracket that misses", lambda: normal, selection="miss")
    yield Case("random, all near the threshold", lambda: normal, TailOptions(0.99, 1.0))
    yield Case(
        "subnormal, all near the threshold",
        lambda: (rng.integers(0, 10**6, n) * 1e-45).astype(np.float32),
    )


def shape_cases(n: int) -> Iterator[Case]:
    """The same bytes in other types, on more threads, with a loss per element, and in groups."""
    normal = DATA["random"](n)
    if THREADS > 1:
        yield Case(f"random, {THREADS} threads", lambda: normal, threads=THREADS)
    for dtype in ("float64", "float16", "bfloat16"):
        yield Case(f"random, {dtype}", lambda dtype=dtype: normal.astype(dtype))
    yield Case("random, a loss per element", lambda: normal, reduction="none")
    for name, rows, axis in (
        ("groups of 1,000", n // 1000, 1),
        ("1,000 columns", n // 1000, 0),
        ("8 columns", n // 8, 0),
        ("groups of 10", n // 10, 1),
    ):
        yield Case(
            name,
            lambda rows=rows: normal.reshape(rows, -1),
            TailOptions(0.99, 100.0, axis=axis),
        )


def measure(case: Case, rounds: int) -> Iterator[dict[str, Any]]:
    """A row for each pass."""
    y_pred = case.residuals()
    # Written, not only allocated: pages of zeros would all be one page.
    y_true, out = np.full_like(y_pred, 0), np.full_like(y_pred, 0)
    how: dict[str, Any] = {"reduction": case.reduction, "threads": case.threads}
    options = forced(case.options, case.selection)
    loss, state = kernels.forward(y_true, y_pred, options, **how)
    upstream = np.ones_like(loss)
    a, b, c = (array.reshape(-1).view(np.float32) for array in (y_true, y_pred, out))
    times = interleaved(
        {
            "read": lambda: _kernels.read_two(a, b, case.threads),
            "forward": lambda: kernels.forward(y_true, y_pred, options, out=loss, **how),
            "write": lambda: _kernels.read_two_write_one(a, b, c, case.threads),
            "backward": lambda: kernels.backward(
                upstream, y_true, y_pred, state, case.options, out=out, **how
            ),
        },
        rounds,
    )
    for name, floor, arrays in (("forward", "read", 2), ("backward", "write", 3)):
        yield {
            "n": y_pred.size,
            "data": case.name,
            "pass": name,
            "seconds": statistics.median(times[name]),
            "bytes": arrays * y_pred.nbytes,
            "floor_seconds": statistics.median(times[floor]),
            "times_floor": times_floor(times, name, floor),
        }


def run(n: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Rows of every case, on one thread unless it says otherwise."""
    for case in (*data_cases(n), *shape_cases(n)):
        yield from measure(case, rounds)
