"""Losses whose percentile is by `sample_weight`: the argument that says so."""

from typing import Any

from tailops._checks import boolean
from tailops._options import TailOptions
from tailops._weighted import require_weightable

__all__ = ["WEIGHTED", "as_weighted"]

# What is said of the argument.
WEIGHTED = {
    "weighted": "Whether `sample_weight` counts in the percentile too, so that a sample of weight "
    "2 is as two of them. Weights must then be finite and at least 0. Not with a window or "
    "synchronized; a threshold by weights is a constant in the gradient. False, or without "
    "`sample_weight`: the percentile is of samples."
}


def as_weighted(weighted: Any, options: TailOptions, window: Any) -> bool:
    """The argument, checked.

    Raises:
        TypeError: It is no boolean.
        ValueError: It is True, and there is no such percentile with this window or these options.
    """
    asked = boolean("weighted", weighted)
    if asked:
        require_weightable(options, window)
    return asked
