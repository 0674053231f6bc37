"""Targets and predictions as tensors of one shape and dtype, or an error that says why not."""

from dataclasses import replace
from typing import Any, NamedTuple

import tensorflow as tf

from tailops import _checks
from tailops._options import TailOptions, require_rank_of


def _dtype_of(values: Any) -> str:
    dtype = getattr(values, "dtype", None)
    found = tf.convert_to_tensor(values).dtype if dtype is None else tf.as_dtype(dtype)
    return str(found.name)


def require_dtypes(y_true: Any, y_pred: Any, ignore_value: float | None = None) -> None:
    """As `_checks.require_dtypes`, of tensors."""
    _checks.require_dtypes(_dtype_of(y_true), _dtype_of(y_pred), ignore_value)


class Inputs(NamedTuple):
    """What the op and the reference take. The mask is True where an element counts."""

    y_true: tf.Tensor
    y_pred: tf.Tensor
    mask: tf.Tensor | None
    options: TailOptions


def _as_mask(mask: Any, predictions: tf.Tensor) -> tf.Tensor:
    tensor = tf.convert_to_tensor(mask)
    if tensor.dtype != tf.bool:
        raise TypeError(f"mask of dtype {tensor.dtype.name}: must be bool")
    tensor = _checks.like(tf, tensor, predictions)
    if not tensor.shape.is_compatible_with(predictions.shape):
        raise ValueError(
            f"mask of shape {tensor.shape}: must be that of y_pred, {predictions.shape}"
        )
    return tensor


def _both(mask: tf.Tensor | None, other: tf.Tensor) -> tf.Tensor:
    return other if mask is None else mask & other


def as_inputs(y_true: Any, y_pred: Any, options: TailOptions, mask: Any = None) -> Inputs:
    """Both as tensors of y_pred's dtype, of the same shape as far as it is known.

    Raises:
        TypeError: y_pred is not floating, y_true is not real, or the mask is not boolean.
        ValueError: The shapes differ, or have no such axis.
    """
    require_dtypes(y_true, y_pred, options.ignore_value)
    predictions = tf.convert_to_tensor(y_pred)
    targets = tf.convert_to_tensor(y_true)
    given = targets.shape, predictions.shape
    targets, predictions = _checks.same_rank(tf, targets, predictions)
    if not targets.shape.is_compatible_with(predictions.shape):
        raise _checks.shapes_differ(*given)
    require_rank_of(options.axis, predictions.shape.rank)
    kept = None if mask is None else _as_mask(mask, predictions)
    if options.ignore_value is not None and targets.dtype != predictions.dtype:
        # Before the cast, which may make other targets equal to the value.
        kept = _both(kept, tf.not_equal(targets, tf.cast(options.ignore_value, targets.dtype)))
        options = replace(options, ignore_value=None)
    return Inputs(tf.cast(targets, predictions.dtype), predictions, kept, options)


def valid_elements(inputs: Inputs) -> tf.Tensor | None:
    """Which elements are not ignored; None if all count."""
    y_true, y_pred, valid, options = inputs
    if options.ignore_value is not None:
        valid = _both(valid, tf.not_equal(y_true, tf.cast(options.ignore_value, y_true.dtype)))
    if options.ignore_nan:
        valid = _both(valid, ~(tf.math.is_nan(y_true) | tf.math.is_nan(y_pred)))
    return valid
