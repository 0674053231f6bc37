"""How the kernels' cost grows: with n, with the number of groups, with threads."""

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from bench.baselines import PUBLISHED, rank_of
from bench.inputs import random
from bench.match import THREADS
from bench.timing import interleaved, spread, times_floor
from tailops import _kernels, kernels
from tailops._options import TailOptions

BY_SIZE, BY_GROUPS, BY_THREADS = "n", "groups", "threads"
OF_GROUPS_AND_THREADS = 10_000_000
PASSES = {"selection": "read one", "forward": "read two", "backward": "read two, write one"}


def _actions(
    y_pred: np.ndarray, options: TailOptions, threads: int
) -> dict[str, Callable[[], Any]]:
    y_true, out = np.full_like(y_pred, 0), np.full_like(y_pred, 0)
    how = {"reduction": "mean", "threads": threads}
    loss, state = kernels.forward(y_true, y_pred, options, **how)
    a, b, c = (array.reshape(-1) for array in (y_true, y_pred, out))
    half = a.size // 2
    rows = y_pred.reshape(-1, y_pred.shape[-1])
    selected = partial(kernels.select, rows, [rank_of(rows.shape[1])], method="rank", axis=1)
    upstream = np.ones_like(loss)
    return {
        "read one": lambda: _kernels.read_two(b[:half], b[half : 2 * half], threads),
        "read two": lambda: _kernels.read_two(a, b, threads),
        "read two, write one": lambda: _kernels.read_two_write_one(a, b, c, threads),
        "selection": lambda: selected(threads=threads),
        "forward": lambda: kernels.forward(y_true, y_pred, options, **how),
        "backward": lambda: kernels.backward(
            upstream, y_true, y_pred, state, options, out=out, **how
        ),
    }


def _row(
    by: str, y_pred: np.ndarray, options: TailOptions, threads: int, seconds: float
) -> dict[str, Any]:
    actions = _actions(y_pred, options, threads)
    times = interleaved(actions, rounds=3, seconds=seconds)
    groups = 1 if options.axis is None else y_pred.shape[0]
    row: dict[str, Any] = {"by": by, "n": y_pred.size, "groups": groups, "threads": threads}
    for name, floor in PASSES.items():
        row[name] = {
            **spread(times[name])._asdict(),
            "floor_seconds": statistics.median(times[floor]),
            "times_floor": times_floor(times, name, floor),
        }
    return row


def run(largest: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Rows; on one thread, except where threads are what is varied."""
    n = 100
    while n <= largest:
        yield _row(BY_SIZE, random(n), PUBLISHED, 1, seconds)
        n *= 10
    total = min(largest, OF_GROUPS_AND_THREADS)
    normal = random(total)
    groups = 1
    while groups <= total // 10:
        options = TailOptions(PUBLISHED.percentile, PUBLISHED.smoothing_factor, axis=1)
        yield _row(BY_GROUPS, normal.reshape(groups, -1), options, 1, seconds)
        groups *= 10
    for threads in range(1, THREADS + 1):
        yield _row(BY_THREADS, normal, PUBLISHED, threads, seconds)
