"""Accuracy and cross-entropy outside the ignored classes."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from tailops import _checks
from tailops._checks import boolean, number
from tailops._keras_masks import mask_of
from tailops.metrics._ignored import equals_any, is_nan
from tailops.metrics._mean import MaskedMean
from tailops.metrics._tensors import and_mask, as_tensor, dtype_of, known_values

__all__ = ["MaskedCategoricalAccuracy", "MaskedSparseCategoricalCrossentropy"]


def _integers(argument: str, values: object) -> tuple[int, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{argument}={values!r}: must be a sequence of integers, () for none")
    given: list[Any] = list(values)
    if not all(number(argument, value).is_integer() for value in given):
        raise ValueError(f"{argument}={values!r}: labels are integers")
    return tuple(int(value) for value in given)


def _labels_and_scores(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    labels, scores = as_tensor("y_true", y_true), as_tensor("y_pred", y_pred)
    _checks.require_dtypes(y_true=dtype_of(labels), y_pred=dtype_of(scores))
    given = tuple(labels.shape), tuple(scores.shape)
    if len(given[0]) == len(given[1]) and given[0] and given[0][-1] == 1:
        labels = keras.ops.squeeze(labels, -1)
    fits = len(labels.shape) == len(given[1]) - 1 and all(
        a is None or b is None or a == b for a, b in zip(labels.shape, given[1], strict=False)
    )
    if not fits or not given[1][-1]:
        raise ValueError(
            f"y_true of shape {given[0]} and y_pred of shape {given[1]}: labels (B, …) need "
            "scores (B, …, C), C known"
        )
    return labels, scores


def _are_classes(labels: Any, classes: int) -> Any:
    """Where a label is one of 0 … C − 1, compared in its own dtype, which may not reach to C."""
    known = keras.ops.greater_equal(labels, keras.ops.zeros_like(labels))
    if dtype_of(labels) in _checks.FLOATING:
        known = keras.ops.logical_and(known, keras.ops.equal(labels, keras.ops.floor(labels)))
    elif classes > np.iinfo(dtype_of(labels)).max:
        return known
    below = keras.ops.less(labels, keras.ops.full_like(labels, classes))
    return keras.ops.logical_and(known, below)


class _MaskedClassification(MaskedMean):
    def __init__(self, ignore_values: Iterable[int], name: str | None, dtype: Any) -> None:
        super().__init__(name, dtype)
        self.ignore_values = _integers("ignore_values", ignore_values)

    def _values(self, labels: Any, known: Any, scores: Any) -> Any:
        raise NotImplementedError

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts one batch.

        Args:
            y_true: Labels, (B, …) or (B, …, 1): integers, of whatever dtype.
            y_pred: Scores, (B, …, C). A Keras mask on them counts.
            sample_weight: Weights that broadcast along the leading axes of the labels.

        Raises:
            TypeError: Labels are not numbers, or scores not floating.
            ValueError: Shapes do not fit, a value to ignore cannot occur in the labels' dtype, or,
                outside `tf.function` and `jit`, a label that is not ignored is not one of
                0 … C − 1.
        """
        mask = mask_of(y_pred)
        labels, scores = _labels_and_scores(y_true, y_pred)
        ignored = equals_any("ignore_values", labels, self.ignore_values)
        valid = and_mask(keras.ops.logical_not(ignored), mask)
        known = _are_classes(labels, scores.shape[-1])
        wrong = keras.ops.logical_and(valid, keras.ops.logical_not(known))
        self._refuse_unknown(labels, wrong, scores.shape[-1])
        inside = keras.ops.where(known, keras.ops.cast(labels, "int32"), 0)
        values = self._values(inside, known, keras.ops.cast(scores, self.dtype))
        self._add(values, valid, sample_weight)

    @staticmethod
    def _refuse_unknown(labels: Any, wrong: Any, classes: int) -> None:
        at = known_values(wrong)
        if at is not None and at.any():
            label = known_values(labels)[at].flat[0]
            raise ValueError(f"y_true has the label {label}: must be an integer in [0, {classes})")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "ignore_values": list(self.ignore_values)}


@keras.saving.register_keras_serializable(package="tailops")
class MaskedCategoricalAccuracy(_MaskedClassification):
    """Share of right predictions among the labels outside the ignored classes.

        Σ w·[argmax ŷ = y] / Σ w    over the elements with y in none of ignore_values

    Scores with a NaN count as wrong. Inside `tf.function` and `jit`, where labels are not known
    when the check is made, a label that is no class counts as wrong too.

    Args:
        ignore_values: Labels that are not counted, any number of them. They need not be classes:
            −1 is as good.
        name: Name of the metric.
        dtype: Of the computation and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: `ignore_values` is not a sequence of integers.

    Example:
        >>> metric = MaskedCategoricalAccuracy(ignore_values=(0,))
        >>> scores = [[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.3, 0.2, 0.5]]
        >>> metric.update_state([1, 0, 1], scores)  # right, ignored, wrong
        >>> float(metric.result())
        0.5
    """

    def __init__(
        self,
        ignore_values: Iterable[int] = (0, 5),
        *,
        name: str | None = "masked_categorical_accuracy",
        dtype: Any = None,
    ) -> None:
        super().__init__(ignore_values, name, dtype)

    def _values(self, labels: Any, known: Any, scores: Any) -> Any:
        right = keras.ops.equal(keras.ops.cast(keras.ops.argmax(scores, -1), "int32"), labels)
        comparable = keras.ops.logical_not(keras.ops.any(is_nan(scores), axis=-1))
        return keras.ops.logical_and(right, keras.ops.logical_and(known, comparable))


@keras.saving.register_keras_serializable(package="tailops")
class MaskedSparseCategoricalCrossentropy(_MaskedClassification):
    """Mean of −log p of the label, over the labels outside the ignored classes.

        −Σ w·log p(y) / Σ w    over the elements with y in none of ignore_values

    p is clipped and normalised as in Keras's metric of that name. Inside `tf.function` and `jit`,
    where labels are not known when the check is made, a label that is no class makes it NaN.

    Args:
        ignore_values: Labels that are not counted, any number of them.
        from_logits: Whether the scores are logits, or else probabilities.
        name: Name of the metric.
        dtype: Of the computation and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: `ignore_values` is not a sequence of integers.

    Example:
        >>> metric = MaskedSparseCategoricalCrossentropy(ignore_values=(0,))
        >>> metric.update_state([1, 0], [[0.5, 0.25, 0.25], [0.9, 0.05, 0.05]])
        >>> round(float(metric.result()), 4)  # log 4
        1.3863
    """

    def __init__(
        self,
        ignore_values: Iterable[int] = (0, 5),
        from_logits: bool = False,
        *,
        name: str | None = "masked_sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(ignore_values, name, dtype)
        self.from_logits = boolean("from_logits", from_logits)

    def _values(self, labels: Any, known: Any, scores: Any) -> Any:
        if not self.from_logits:
            epsilon = keras.config.epsilon()
            scores = keras.ops.log(keras.ops.clip(scores, epsilon, 1 - epsilon))
        log_p = keras.ops.log_softmax(scores, axis=-1)
        of_label = keras.ops.take_along_axis(log_p, keras.ops.expand_dims(labels, -1), axis=-1)
        nan = keras.ops.cast(float("nan"), self.dtype)
        return keras.ops.where(known, -keras.ops.squeeze(of_label, -1), nan)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "from_logits": self.from_logits}
