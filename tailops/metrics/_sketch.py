"""Logarithmic buckets: where a value is counted, and what it is taken for.

With γ = (1 + α)/(1 − α), bucket i holds (γⁱ⁻¹, γⁱ] and stands for 2γⁱ/(γ + 1), which is within a
fraction α of everything in it. From the smallest normal number of a dtype to its largest that is
some thousand buckets, so that none ever has to be merged with another.

Source: Masson, Rim and Lee, DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees, PVLDB 12, 2019.
"""

import math
from typing import Any

import keras
import ml_dtypes
import numpy as np

from tailops.metrics._tensors import wide_dtype

# What the rounding of a logarithm in float32 may take from α.
_MARGIN = 0.99


class Buckets:
    """Zero, the buckets in ascending order, infinity; of either sign, the same on its other side.

    Args:
        relative_error: α.
        dtype: Of the values.
        signed: Whether values may be negative.
    """

    def __init__(self, relative_error: float, dtype: str, signed: bool = False) -> None:
        alpha = _MARGIN * relative_error
        info = ml_dtypes.finfo(dtype)
        self._log_gamma = math.log((1 + alpha) / (1 - alpha))
        self._largest = float(info.max)
        self._smallest = float(info.tiny)
        self._first = math.ceil(math.log(self._smallest) / self._log_gamma)
        last = math.ceil(math.log(self._largest) / self._log_gamma)
        centers = np.arange(self._first, last + 1) * self._log_gamma + math.log(1 - alpha)
        centers = np.exp(np.clip(centers, math.log(self._smallest), math.log(self._largest)))
        centers = np.clip(centers, self._smallest, self._largest)
        self._last = len(centers) + 1
        magnitudes = np.concatenate([[0.0], centers, [math.inf]])
        self._values = np.concatenate([-magnitudes[:0:-1], magnitudes]) if signed else magnitudes
        self.size = len(self._values)
        self._signed = signed

    def index_of(self, values: Any) -> Any:
        """Which bucket each belongs to; below the smallest normal number, and of NaN, 0's."""
        wide = wide_dtype()
        given = keras.ops.cast(values, wide)
        x = keras.ops.abs(given)
        inside = keras.ops.clip(x, self._smallest, self._largest)
        i = keras.ops.ceil(keras.ops.log(inside) / self._log_gamma) - (self._first - 1)
        i = keras.ops.where(x >= self._smallest, i, keras.ops.zeros_like(i))
        i = keras.ops.where(x > self._largest, keras.ops.full_like(i, self._last), i)
        i = keras.ops.cast(keras.ops.clip(i, 0, self._last), "int32")
        return keras.ops.where(given < 0, self._last - i, self._last + i) if self._signed else i

    def values(self) -> Any:
        """What each stands for, in ascending order."""
        return keras.ops.convert_to_tensor(self._values.astype(wide_dtype()))

    def deviations(self, values: Any, index: Any) -> Any:
        """How far values lie from what their buckets stand for, as a fraction of it: v/c − 1.

        0 where the buckets stand for 0 or infinity. Fractions add up where values would not: the
        largest numbers do not overflow, and in float32 their rounding is the smaller, too.
        """
        centers = keras.ops.take(self.values(), index)
        ordinary = keras.ops.logical_and(centers != 0, keras.ops.abs(centers) < math.inf)
        one = keras.ops.ones_like(centers)
        quotients = keras.ops.where(ordinary, keras.ops.cast(values, centers.dtype), one)
        return quotients / keras.ops.where(ordinary, centers, one) - 1

    def means(self, weights: Any, deviations: Any) -> Any:
        """The mean of what is in each bucket; where nothing is, what it stands for.

        Args:
            weights: Of what is in each.
            deviations: Σ weight·deviation of each.
        """
        values = self.values()
        means = values * (1 + keras.ops.divide_no_nan(deviations, weights))
        finite = keras.ops.clip(means, -self._largest, self._largest)
        return keras.ops.where(keras.ops.abs(values) < math.inf, finite, values)


def weighted_percentile(values: Any, weights: Any, percentile: float) -> Any:
    """The first value beyond which less than 1 − p of the weight lies; the last one for p = 1.

    With weights of 1 that is the element of rank min(⌊n·p⌋, n − 1), 0-based.

    Args:
        values: Ascending.
        weights: Theirs; those of 0 are not there.
        percentile: p.
    """
    reached = keras.ops.cumsum(weights)
    total = reached[-1]
    beyond = keras.ops.logical_or(reached > percentile * total, reached >= total)
    return keras.ops.take(values, keras.ops.argmax(keras.ops.cast(beyond, "int32")))


def weighted_tail_mean(values: Any, weights: Any, percentile: float) -> Any:
    """The mean of what lies beyond the share p of the weight: of the mass (1 − p)·Σ weights.

    Args:
        values: Ascending.
        weights: Theirs; those of 0 are not there.
        percentile: p, in [0, 1).
    """
    tail = 1 - percentile
    zero = keras.ops.zeros_like(weights)
    reached = keras.ops.cumsum(keras.ops.flip(weights))
    above = keras.ops.flip(keras.ops.concatenate([zero[:1], reached[:-1]]))
    left = tail * reached[-1] - above
    # What only rounding has left, of p and of the tail, is not there: it might be of an infinite
    # value. And what only rounding lacks is.
    rounding = 4 * (np.finfo("float64").eps + tail * np.finfo(wide_dtype()).eps) * reached[-1]
    left = keras.ops.where(keras.ops.logical_and(above > 0, left <= rounding), zero, left)
    whole = keras.ops.logical_and(left > 0, weights - left <= rounding)
    mass = keras.ops.where(whole, weights, keras.ops.clip(left, 0, weights))
    there = mass > 0
    values = keras.ops.cast(values, mass.dtype)
    share = keras.ops.divide_no_nan(mass, keras.ops.sum(mass))
    mean = keras.ops.sum(keras.ops.where(there, share * values, zero))
    # Shares may add up to a little more than 1; a mean is none the less among what it is of.
    lowest = keras.ops.min(keras.ops.where(there, values, math.inf))
    highest = keras.ops.max(keras.ops.where(there, values, -math.inf))
    return keras.ops.where(keras.ops.isnan(mean), mean, keras.ops.clip(mean, lowest, highest))
