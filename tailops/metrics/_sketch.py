"""Logarithmic buckets: where a magnitude is counted, and what it is taken for.

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

from tailops.metrics._tensors import wide_dtype

# What the rounding of a logarithm in float32 may take from α.
_MARGIN = 0.99


class Buckets:
    """Zero, the buckets in ascending order, infinity.

    Args:
        relative_error: α.
        dtype: Of the magnitudes.
    """

    def __init__(self, relative_error: float, dtype: str) -> None:
        alpha = _MARGIN * relative_error
        info = ml_dtypes.finfo(dtype)
        self._log_gamma = math.log((1 + alpha) / (1 - alpha))
        self._log_center = math.log(2 / (1 + math.exp(self._log_gamma)))
        self._largest = float(info.max)
        self._smallest = float(info.tiny)
        self._first = math.ceil(math.log(self._smallest) / self._log_gamma)
        last = math.ceil(math.log(self._largest) / self._log_gamma)
        self.size = last - self._first + 3

    def index_of(self, magnitudes: Any) -> Any:
        """Which bucket each belongs to; anything for NaN. Below the smallest normal number: 0."""
        wide = wide_dtype()
        x = keras.ops.cast(magnitudes, wide)
        inside = keras.ops.clip(x, self._smallest, self._largest)
        i = keras.ops.ceil(keras.ops.log(inside) / self._log_gamma) - (self._first - 1)
        i = keras.ops.where(x < self._smallest, keras.ops.zeros_like(i), i)
        i = keras.ops.where(x > self._largest, keras.ops.full_like(i, self.size - 1), i)
        return keras.ops.cast(keras.ops.clip(i, 0, self.size - 1), "int32")

    def values(self) -> Any:
        """What each stands for, in ascending order."""
        wide = wide_dtype()
        i = keras.ops.cast(keras.ops.arange(self.size - 2), wide) + self._first
        centers = keras.ops.exp(i * self._log_gamma + self._log_center)
        ends = keras.ops.cast([0.0, math.inf], wide)
        inside = keras.ops.clip(centers, self._smallest, self._largest)
        return keras.ops.concatenate([ends[:1], inside, ends[1:]])


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
