"""The percentile of the error over all batches, in fixed memory."""

import math
import operator
from collections.abc import Iterable
from typing import Any

import keras

from tailops._checks import boolean, number
from tailops._keras_masks import mask_of
from tailops.metrics._ignored import optional_number, valid_elements
from tailops.metrics._replicas import replica_count, replica_index
from tailops.metrics._sketch import Buckets, weighted_percentile
from tailops.metrics._tensors import and_mask, as_pair, weights_for, wide_dtype

__all__ = ["ErrorPercentile"]


def _in_range(argument: str, value: object, low: float, high: float, brackets: str) -> float:
    result = number(argument, value)
    if not (low < result <= high or (brackets[0] == "[" and result == low)):
        raise ValueError(f"{argument}={value!r}: must be in {brackets[0]}{low:g}, {high:g}]")
    return result


def _size(argument: str, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        size = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{argument}={value!r}: must be an integer, not {type(value).__name__}"
        ) from None
    if size < 0:
        raise ValueError(f"{argument}={value!r}: must be 0 or more")
    return size


@keras.saving.register_keras_serializable(package="tailops")
class ErrorPercentile(keras.metrics.Metric):  # type: ignore[misc]
    """The percentile of |ŷ − y| over every sample since the last reset.

    Not the mean of the batches' percentiles, which is something else. The result is the error of
    rank min(⌊n·p⌋, n − 1), 0-based, as the losses' threshold; with weights, the smallest error
    with more than a share p of the weight at or below it. While there are at most `exact_size`
    samples (in each replica) it is that error, exactly; beyond, it is within `relative_error` of
    it, whatever the errors are. They are counted in logarithmic buckets, some 9,000 for 1 % and
    float32: the memory does not grow, and batches, replicas and whole metrics add up.

    Zero and infinite errors are exact; errors below the smallest normal number count as zero. An
    error that is NaN makes the result NaN until the next reset. Counts are kept in float64, but in
    float32 with JAX outside its x64 mode, where a bucket is full at 16 million samples.

    Args:
        percentile: p, a fraction in (0, 1].
        ignore_value: The label that stands for a missing one; None: there is none.
        ignore_nan: Whether elements whose label or prediction is NaN are ignored.
        relative_error: In [0.001, 0.5].
        exact_size: Up to how many samples the result is exact; they are kept and sorted.
        name: Name of the metric.
        dtype: Of the errors and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> metric = ErrorPercentile(percentile=0.5)
        >>> metric.update_state([0.0, 0.0], [1.0, -2.0])
        >>> metric.update_state([0.0], [4.0])
        >>> float(metric.result())
        2.0

    Source: as `tailops.metrics._sketch`.
    """

    def __init__(
        self,
        percentile: float = 0.99,
        *,
        ignore_value: float | None = None,
        ignore_nan: bool = False,
        relative_error: float = 0.01,
        exact_size: int = 1024,
        name: str | None = "error_percentile",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.percentile = _in_range("percentile", percentile, 0, 1, "(]")
        self.ignore_value = optional_number("ignore_value", ignore_value)
        self.ignore_nan = boolean("ignore_nan", ignore_nan)
        self.relative_error = _in_range("relative_error", relative_error, 0.001, 0.5, "[]")
        self.exact_size = _size("exact_size", exact_size)
        self._buckets = Buckets(self.relative_error, self.dtype)
        wide = wide_dtype()
        # Each replica keeps its samples in a row of its own and zeros elsewhere, so that adding up
        # the replicas' variables, all that tf.distribute offers, puts the rows together.
        rows = replica_count()
        kept = (rows, self.exact_size)
        self.counts = self.add_variable((self._buckets.size,), "zeros", dtype=wide, name="counts")
        self.nans = self.add_variable((), "zeros", dtype=wide, name="nans")
        self.seen = self.add_variable((rows,), "zeros", dtype=wide, name="seen")
        self.kept_errors = self.add_variable(kept, "zeros", dtype=self.dtype, name="kept_errors")
        self.kept_weights = self.add_variable(kept, "zeros", dtype=wide, name="kept_weights")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts one batch.

        Args:
            y_true: Labels, any shape.
            y_pred: Predictions of the same shape, up to a last axis of 1. A Keras mask on them
                counts.
            sample_weight: Weights ≥ 0 that broadcast along the leading axes: (B,) for (B, …).

        Raises:
            TypeError: y_pred is not floating or y_true is not real.
            ValueError: Shapes differ, or `ignore_value` cannot occur in y_true's dtype.
        """
        mask = mask_of(y_pred)
        targets, predictions = as_pair(y_true, y_pred)
        valid = and_mask(
            valid_elements(targets, predictions, self.ignore_value, self.ignore_nan), mask
        )
        errors = keras.ops.abs(
            keras.ops.cast(predictions, self.dtype) - keras.ops.cast(targets, self.dtype)
        )
        weights = weights_for(sample_weight, errors)
        errors, weights, valid = (keras.ops.reshape(t, (-1,)) for t in (errors, weights, valid))
        nan = keras.ops.logical_and(valid, keras.ops.isnan(errors))
        self.nans.assign_add(keras.ops.sum(keras.ops.cast(nan, self.nans.dtype)))
        weights = keras.ops.where(valid, weights, keras.ops.zeros_like(weights))
        self.counts.assign_add(
            keras.ops.segment_sum(weights, self._buckets.index_of(errors), self._buckets.size)
        )
        self._keep(errors, weights, valid)

    def _keep(self, errors: Any, weights: Any, valid: Any) -> None:
        """Appends the valid ones to this replica's row, as far as there is room."""
        ones = keras.ops.cast(valid, self.seen.dtype)
        rows = self.seen.shape[0]
        row = keras.ops.cast(keras.ops.arange(rows) == replica_index(), self.seen.dtype)
        before = keras.ops.sum(keras.ops.convert_to_tensor(self.seen) * row)
        place = before + keras.ops.cumsum(ones) - 1
        full = keras.ops.full_like(place, self.exact_size)
        place = keras.ops.where(valid, keras.ops.minimum(place, full), full)
        place = keras.ops.cast(place, "int32")
        for variable, values in ((self.kept_errors, errors), (self.kept_weights, weights)):
            # One value a place, so that the sum is the value; the last place is thrown away.
            placed = keras.ops.segment_sum(values, place, self.exact_size + 1)[:-1]
            mine = keras.ops.expand_dims(keras.ops.cast(row, "bool"), -1)
            variable.assign_add(keras.ops.where(mine, placed, keras.ops.zeros_like(placed)))
        self.seen.assign_add(row * keras.ops.sum(ones))

    def result(self) -> Any:
        """The percentile so far, of the metric's dtype; 0 before anything has been counted."""
        counts = keras.ops.convert_to_tensor(self.counts)
        estimate = weighted_percentile(self._buckets.values(), counts, self.percentile)
        value = keras.ops.cast(estimate, self.dtype)
        seen = keras.ops.convert_to_tensor(self.seen)
        if self.exact_size:
            exact = keras.ops.all(seen <= self.exact_size)
            value = keras.ops.where(exact, self._exact(seen), value)
        nothing = keras.ops.sum(counts) == 0
        value = keras.ops.where(nothing, keras.ops.zeros_like(value), value)
        nan = keras.ops.cast(math.nan, self.dtype)
        return keras.ops.where(keras.ops.convert_to_tensor(self.nans) > 0, nan, value)

    def _exact(self, seen: Any) -> Any:
        place = keras.ops.cast(keras.ops.arange(self.exact_size), seen.dtype)
        there = keras.ops.reshape(place < keras.ops.expand_dims(seen, -1), (-1,))
        errors = keras.ops.reshape(keras.ops.convert_to_tensor(self.kept_errors), (-1,))
        weights = keras.ops.reshape(keras.ops.convert_to_tensor(self.kept_weights), (-1,))
        errors = keras.ops.where(there, errors, keras.ops.full_like(errors, math.inf))
        order = keras.ops.argsort(errors)
        ascending, sorted_weights = (keras.ops.take(t, order) for t in (errors, weights))
        return weighted_percentile(ascending, sorted_weights, self.percentile)

    def merge_state(self, metrics: "Iterable[ErrorPercentile]") -> None:
        """Adds what other metrics have counted, as if this one had seen their samples too.

        Args:
            metrics: Of the same `relative_error`, `exact_size` and dtype.

        Raises:
            ValueError: One of them differs in these.
        """
        for other in metrics:
            for name in ("relative_error", "exact_size", "dtype"):
                ours, theirs = getattr(self, name), getattr(other, name)
                if ours != theirs:
                    raise ValueError(f"{name}={theirs!r} of a metric to merge: must be {ours!r}")
            self.counts.assign_add(other.counts)
            self.nans.assign_add(other.nans)
            seen = keras.ops.convert_to_tensor(other.seen)
            place = keras.ops.cast(keras.ops.arange(self.exact_size), seen.dtype)
            there = keras.ops.reshape(place < keras.ops.expand_dims(seen, -1), (-1,))
            errors = keras.ops.reshape(keras.ops.convert_to_tensor(other.kept_errors), (-1,))
            weights = keras.ops.reshape(keras.ops.convert_to_tensor(other.kept_weights), (-1,))
            self._keep(errors, weights, there)
            lost = keras.ops.sum(keras.ops.maximum(seen - self.exact_size, 0))
            first = keras.ops.cast(keras.ops.arange(self.seen.shape[0]) == 0, seen.dtype)
            self.seen.assign_add(first * lost)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        ours = {
            name: getattr(self, name)
            for name in (
                "percentile",
                "ignore_value",
                "ignore_nan",
                "relative_error",
                "exact_size",
            )
        }
        return {**super().get_config(), **ours}
