"""Targets and predictions as tensors of one shape and dtype, or an error that says why not."""

from typing import Any

import tensorflow as tf

from tailops import _checks


def _dtype_of(values: Any) -> str:
    dtype = getattr(values, "dtype", None)
    found = tf.convert_to_tensor(values).dtype if dtype is None else tf.as_dtype(dtype)
    return str(found.name)


def require_dtypes(y_true: Any, y_pred: Any) -> None:
    """Raises TypeError unless y_pred is floating and y_true is real."""
    _checks.require_dtypes(y_true=_dtype_of(y_true), y_pred=_dtype_of(y_pred))


def as_pair(y_true: Any, y_pred: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Both as tensors of y_pred's dtype, of the same shape as far as it is known.

    Raises:
        TypeError: y_pred is not floating or y_true is not real.
        ValueError: The shapes differ.
    """
    require_dtypes(y_true, y_pred)
    predictions = tf.convert_to_tensor(y_pred)
    targets = tf.cast(tf.convert_to_tensor(y_true), predictions.dtype)
    given = targets.shape, predictions.shape
    targets, predictions = _checks.same_rank(tf, targets, predictions)
    if not targets.shape.is_compatible_with(predictions.shape):
        raise _checks.shapes_differ(*given)
    return targets, predictions
