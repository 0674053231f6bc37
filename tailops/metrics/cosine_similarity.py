"""The cosine of each row, over what is finite in it."""

import operator
from typing import Any

import keras

from tailops._keras_masks import mask_of
from tailops.metrics._mean import MaskedMean
from tailops.metrics._tensors import and_mask, as_pair

__all__ = ["MaskedCosineSimilarity"]


def _axis(value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"axis={value!r}: must be an integer, not {type(value).__name__}") from None


def _unit(values: Any, axis: int) -> Any:
    """The row divided by its norm, and by its largest element before: squares overflow."""
    scale = keras.ops.max(keras.ops.abs(values), axis=axis, keepdims=True)
    scaled = keras.ops.divide_no_nan(values, scale)
    norm = keras.ops.sqrt(keras.ops.sum(keras.ops.square(scaled), axis=axis, keepdims=True))
    return keras.ops.divide_no_nan(scaled, norm)


@keras.saving.register_keras_serializable(package="tailops")
class MaskedCosineSimilarity(MaskedMean):
    """Mean over rows of the cosine between labels and predictions, over each row's finite pairs.

        Σ w·cos(y, ŷ) / Σ w    over the rows with at least one pair in which both are finite,
        cos(y, ŷ) = Σ y·ŷ / (‖y‖·‖ŷ‖)    over those pairs; 0 if a norm is

    Args:
        axis: What a row runs along.
        name: Name of the metric.
        dtype: Of the computation and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError: `axis` is not an integer.

    Example:
        >>> nan = float("nan")
        >>> metric = MaskedCosineSimilarity()
        >>> metric.update_state([[3.0, 4.0, nan], [nan, nan, nan]], [[6.0, 8.0, 1.0]] * 2)
        >>> round(float(metric.result()), 6)  # the second row is not counted
        1.0
    """

    def __init__(
        self,
        axis: int = -1,
        *,
        name: str | None = "masked_cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, dtype)
        self.axis = _axis(axis)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts one batch.

        Args:
            y_true: Labels, any shape that has the axis.
            y_pred: Predictions of the same shape. A Keras mask on them counts.
            sample_weight: Weights that broadcast along the leading axes of the rows, which are the
                shape without `axis`.

        Raises:
            TypeError: y_pred is not floating or y_true is not real.
            ValueError: Shapes differ, or have no such axis.
        """
        mask = mask_of(y_pred)
        targets, predictions = as_pair(y_true, y_pred)
        rank = len(predictions.shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"axis={self.axis}: must be in [{-rank}, {rank}) for y_pred of {rank} dimension(s)"
            )
        targets = keras.ops.cast(targets, self.dtype)
        predictions = keras.ops.cast(predictions, self.dtype)
        finite = keras.ops.logical_and(keras.ops.isfinite(targets), keras.ops.isfinite(predictions))
        valid = and_mask(finite, mask)
        zero = keras.ops.zeros((), dtype=self.dtype)
        products = _unit(keras.ops.where(valid, targets, zero), self.axis) * _unit(
            keras.ops.where(valid, predictions, zero), self.axis
        )
        cosines = keras.ops.sum(products, axis=self.axis)
        self._add(cosines, keras.ops.any(valid, axis=self.axis), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
