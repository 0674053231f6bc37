"""Mean errors over the labels that are there."""

from typing import Any

import keras

from tailops._checks import boolean
from tailops._keras_masks import mask_of
from tailops.metrics._ignored import optional_number, valid_elements
from tailops.metrics._mean import MaskedMean
from tailops.metrics._tensors import and_mask, as_pair

__all__ = ["MaskedMeanAbsoluteError", "MaskedMeanSquaredError"]


class _MaskedMeanError(MaskedMean):
    def __init__(
        self, ignore_value: float | None, ignore_nan: bool, name: str | None, dtype: Any
    ) -> None:
        super().__init__(name, dtype)
        self.ignore_value = optional_number("ignore_value", ignore_value)
        self.ignore_nan = boolean("ignore_nan", ignore_nan)

    def _error(self, d: Any) -> Any:
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts one batch.

        Args:
            y_true: Labels, any shape.
            y_pred: Predictions of the same shape, up to a last axis of 1. A Keras mask on them
                counts.
            sample_weight: Weights that broadcast along the leading axes: (B,) for (B, …).

        Raises:
            TypeError: y_pred is not floating or y_true is not real.
            ValueError: Shapes differ, or `ignore_value` cannot occur in y_true's dtype.
        """
        mask = mask_of(y_pred)
        targets, predictions = as_pair(y_true, y_pred)
        valid = valid_elements(targets, predictions, self.ignore_value, self.ignore_nan)
        d = keras.ops.cast(predictions, self.dtype) - keras.ops.cast(targets, self.dtype)
        self._add(self._error(d), and_mask(valid, mask), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        ours = {"ignore_value": self.ignore_value, "ignore_nan": self.ignore_nan}
        return {**super().get_config(), **ours}


@keras.saving.register_keras_serializable(package="tailops")
class MaskedMeanSquaredError(_MaskedMeanError):
    """Mean squared error over the labels that are there, over all batches.

        Σ w·(ŷ − y)² / Σ w    over the elements with y ≠ ignore_value

    Args:
        ignore_value: The label that stands for a missing one; None: there is none.
        ignore_nan: Whether elements whose label or prediction is NaN are ignored too. Otherwise
            one makes the result NaN.
        name: Name of the metric.
        dtype: Of the computation and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An argument is not of its type, or `ignore_value` is NaN.

    Example:
        >>> metric = MaskedMeanSquaredError()
        >>> metric.update_state([[1.0], [-1.0]], [[3.0], [7.0]])  # one label is missing
        >>> metric.update_state([[2.0], [0.0]], [[3.0], [1.0]])
        >>> float(metric.result())  # (4 + 1 + 1) / 3
        2.0

    Source: the mean of batch means that is published for this is wrong where batches differ in how
    many labels they have.
    """

    def __init__(
        self,
        ignore_value: float | None = -1.0,
        ignore_nan: bool = False,
        *,
        name: str | None = "masked_mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(ignore_value, ignore_nan, name, dtype)

    def _error(self, d: Any) -> Any:
        return keras.ops.square(d)


@keras.saving.register_keras_serializable(package="tailops")
class MaskedMeanAbsoluteError(_MaskedMeanError):
    """Mean absolute error over the labels that are there, over all batches.

        Σ w·|ŷ − y| / Σ w    over the elements with y ≠ ignore_value

    Args:
        ignore_value: The label that stands for a missing one; None: there is none.
        ignore_nan: Whether elements whose label or prediction is NaN are ignored too.
        name: Name of the metric.
        dtype: Of the computation and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An argument is not of its type, or `ignore_value` is NaN.

    Example:
        >>> metric = MaskedMeanAbsoluteError(ignore_value=None, ignore_nan=True)
        >>> metric.update_state([1.0, float("nan"), 0.0], [3.0, 7.0, 1.0])
        >>> float(metric.result())
        1.5
    """

    def __init__(
        self,
        ignore_value: float | None = -1.0,
        ignore_nan: bool = False,
        *,
        name: str | None = "masked_mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(ignore_value, ignore_nan, name, dtype)

    def _error(self, d: Any) -> Any:
        return keras.ops.abs(d)
