"""Which part of the values a mean is of: numbers of the user's as the kernels' kind and bounds.

Numbers may be Python's, tensors, or variables that are read at each step. What is known is checked
here, the rest by the op.
"""

import math
import sys
from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from tailops._inputs import Tensors
from tailops._numbers import require_scalar

__all__ = [
    "Range",
    "at_least",
    "between",
    "beyond",
    "largest",
    "largest_share",
    "smallest_share",
]


class Range(NamedTuple):
    """What the kernels take."""

    kind: str
    first: Any
    second: Any
    """Floats, or scalars of a framework: a loss is made without touching a device."""
    most: float | None = None
    """If it is known: how many values there must be at least."""

    def bounds(self, tensors: Tensors) -> Any:
        """Both numbers as a framework's kernels take them."""
        return tensors.numbers(self.first, self.second)

    def start(self, tensors: Tensors) -> "Range":
        """Of fractions: where it starts, so narrow that its mean is the value there."""
        # The smallest step that a number just below 1 can take.
        if isinstance(self.first, float):
            return self._replace(second=self.first + sys.float_info.epsilon / 2)
        first = tensors.wide(self.first)
        return self._replace(first=first, second=first + np.finfo(first.dtype.name).epsneg)


class _Number(NamedTuple):
    """A float if it is known, else a scalar of the framework."""

    value: Any
    known: float | None


def _number(tensors: Tensors, argument: str, value: Any) -> _Number:
    if isinstance(value, Real) and not isinstance(value, bool):
        return _Number(float(value), float(value))
    if value is None or isinstance(value, bool | str):
        raise TypeError(f"{argument}={value!r}: must be a number, not {type(value).__name__}")
    dtype = tensors.dtype_of(argument, value)
    scalar = tensors.tensor(value)
    require_scalar(argument, dtype, scalar.shape)
    known = tensors.known_number(scalar)
    return _Number(scalar if known is None else known, known)


def _in(
    tensors: Tensors, argument: str, value: Any, allowed: Callable[[float], bool], text: str
) -> _Number:
    number = _number(tensors, argument, value)
    if number.known is not None and not allowed(number.known):
        raise ValueError(f"{argument}={number.known:g}: must be {text}")
    return number


def _complement(tensors: Tensors, number: _Number) -> Any:
    """1 − it; of a tensor in float64, as far as the framework has that."""
    if number.known is not None:
        return 1.0 - number.known
    return 1.0 - tensors.wide(number.value)


def between(tensors: Tensors, lower: Any, upper: Any) -> Range:
    """From a quantile to a larger one."""
    low = _in(tensors, "lower", lower, lambda x: 0 <= x < 1, "in [0, 1)")
    high = _in(tensors, "upper", upper, lambda x: 0 < x <= 1, "in (0, 1]")
    if low.known is not None and high.known is not None and low.known >= high.known:
        raise ValueError(f"lower={low.known:g}, upper={high.known:g}: lower must be below upper")
    return Range("between", low.value, high.value)


def beyond(tensors: Tensors, percentile: Any) -> Range:
    """What is above a quantile."""
    low = _in(tensors, "percentile", percentile, lambda x: 0 <= x < 1, "a fraction in [0, 1)")
    return Range("between", low.value, 1.0)


def smallest_share(tensors: Tensors, fraction: Any) -> Range:
    """All but a share of the largest."""
    share = _in(tensors, "fraction", fraction, lambda x: 0 <= x < 1, "in [0, 1)")
    return Range("between", 0.0, _complement(tensors, share))


def largest_share(tensors: Tensors, fraction: Any) -> Range:
    """A share of the largest."""
    share = _in(tensors, "fraction", fraction, lambda x: 0 < x <= 1, "in (0, 1]")
    return Range("between", _complement(tensors, share), 1.0)


def largest(tensors: Tensors, k: Any) -> Range:
    """The k largest."""
    number = _in(tensors, "k", k, lambda x: 0 < x < math.inf, "above 0, and finite")
    return Range("largest", number.value, 0.0, number.known)


def at_least(tensors: Tensors, threshold: Any, min_kept: Any) -> Range:
    """What reaches a threshold, and no fewer than so many."""
    theta = _Number(math.inf, math.inf) if threshold is None else None
    theta = theta or _in(tensors, "threshold", threshold, lambda x: not math.isnan(x), "a number")
    least = _in(
        tensors,
        "min_kept",
        min_kept,
        lambda x: x >= 1 and x.is_integer(),
        "a whole number, at least 1",
    )
    return Range("at_least", theta.value, least.value)
