"""The percentile of the error over all batches, in fixed memory."""

from typing import Any

import keras

from tailops._checks import boolean
from tailops._keras_masks import mask_of
from tailops.metrics._distribution import Distribution, in_range
from tailops.metrics._ignored import optional_number, valid_elements
from tailops.metrics._sketch import Buckets, weighted_percentile
from tailops.metrics._tensors import and_mask, as_pair, weights_for

__all__ = ["ErrorPercentile"]


@keras.saving.register_keras_serializable(package="tailops")
class ErrorPercentile(Distribution):
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

    Source: Masson, Rim and Lee, DDSketch: a fast and fully-mergeable quantile sketch with
    relative-error guarantees, PVLDB 12, 2019.
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
        self.percentile = in_range("percentile", percentile, 0, 1, "(]")
        self.ignore_value = optional_number("ignore_value", ignore_value)
        self.ignore_nan = boolean("ignore_nan", ignore_nan)
        self.relative_error = in_range("relative_error", relative_error, 0.001, 0.5, "[]")
        super().__init__(exact_size, name, dtype)

    def _make_buckets(self) -> Buckets:
        return Buckets(self.relative_error, self.dtype)

    def _functional(self, values: Any, weights: Any) -> Any:
        return weighted_percentile(values, weights, self.percentile)

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
        self._add(errors, weights_for(sample_weight, errors), valid)

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
