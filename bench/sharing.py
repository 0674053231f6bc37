"""`python -m bench.sharing`: how work is shared out, around the shapes where that changes.

Many groups of just under and of 32,768 elements must cost the same per element; few large groups
must be as much faster with more threads as one group is. Wall time, interleaved.
"""

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.environment import THREADS
from bench.inputs import random
from bench.options import positive
from bench.timing import interleaved
from tailops import kernels
from tailops._options import TailOptions

LENGTHS = (32_767, 32_768)
GROUPS = 244
LARGE = 10_000_000
FEW_GROUPS = (1, 2, 3)


def _forward(groups: int, length: int, threads: int) -> Callable[[], Any]:
    y_pred = random(groups * length).reshape(groups, length)
    y_true = np.full_like(y_pred, 0)
    options = TailOptions(0.99, 100.0, axis=1)
    return lambda: kernels.forward(y_true, y_pred, options, reduction="mean", threads=threads)


def _selection(groups: int, length: int, threads: int) -> Callable[[], Any]:
    x = random(groups * length).reshape(groups, length)
    return lambda: kernels.select(x, [0.99], axis=1, threads=threads)


def _selection_gradient(groups: int, length: int, threads: int) -> Callable[[], Any]:
    x = random(groups * length).reshape(groups, length)
    value, state = kernels.select_forward(x, [0.99], axis=1)
    upstream = np.ones_like(value)
    return lambda: kernels.select_backward(upstream, x, state, axis=1, threads=threads)


def many_groups(threads: int, rounds: int) -> None:
    """Prints what a group of 32,768 elements costs in groups of one less."""
    for name, make in (("forward", _forward), ("selection", _selection)):
        actions = {str(length): make(GROUPS, length, threads) for length in LENGTHS}
        times = interleaved(actions, rounds)
        below, at = (times[str(length)] for length in LENGTHS)
        ratio = statistics.median(b / a for a, b in zip(below, at, strict=True))
        print(
            f"{name}, {GROUPS} groups, {threads} threads: of {LENGTHS[0]:,} "
            f"{statistics.median(below) * 1e3:.3g} ms, of {LENGTHS[1]:,} "
            f"{statistics.median(at) * 1e3:.3g} ms, ratio {ratio:.2f}"
        )


def few_groups(rounds: int) -> None:
    """Prints how much faster a selection's gradient is with each number of threads."""
    for groups in FEW_GROUPS:
        actions = {
            str(threads): _selection_gradient(groups, LARGE, threads)
            for threads in range(1, THREADS + 1)
        }
        times = interleaved(actions, rounds)
        for threads, taken in times.items():
            faster = statistics.median(a / b for a, b in zip(times["1"], taken, strict=True))
            print(
                f"selection's gradient, ({groups}, {LARGE:,}), {threads} threads: "
                f"{statistics.median(taken) * 1e3:.3g} ms, {faster:.2f} times as fast"
            )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.sharing", description=__doc__)
    parser.add_argument("--rounds", type=positive, default=15)
    arguments = parser.parse_args()
    for threads in range(1, THREADS + 1):
        many_groups(threads, arguments.rounds)
    few_groups(arguments.rounds)


if __name__ == "__main__":
    main()
