"""The loss as published: its settings, how anybody writes it, and what it is in float64."""

from typing import Any

import numpy as np

from tailops._options import TailOptions

PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE = 0.99, 100.0, 10.0
ARGUMENTS = (PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE)
OPTIONS = TailOptions(*ARGUMENTS)


def rank_of(n: int, percentile: float = PERCENTILE) -> int:
    """⌊n·p⌋, as the loss has it."""
    return min(int(n * percentile), n - 1)


def weighted_mean(error: Any, threshold: Any, tanh: Any) -> Any:
    """Of errors and a threshold, in any library's arrays."""
    h = 0.5 * (1.0 + tanh(SMOOTHING_FACTOR * (error - threshold)))
    return (error * (1.0 + ERROR_SCALE * h)).mean()


def in_float64(d: Any, axis: int | None) -> tuple[Any, Any]:
    """The mean loss of residuals, and its gradient, ties sharing the threshold's."""
    e = np.abs(d)
    along = 0 if axis is None else axis
    rank = rank_of(e.shape[along])
    t = np.take(np.partition(e, rank, axis=along), [rank], axis=along)
    h = 0.5 * (1 + np.tanh(SMOOTHING_FACTOR * (e - t)))
    through = ERROR_SCALE * e * 2 * SMOOTHING_FACTOR * h * (1 - h)
    slope = 1 + ERROR_SCALE * h + through
    ties = e == t
    slope -= ties * (through.sum(along, keepdims=True) / ties.sum(along, keepdims=True))
    return (e * (1 + ERROR_SCALE * h)).mean(), np.sign(d) * slope / e.size
