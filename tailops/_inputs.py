"""Targets and predictions as tensors of one shape and dtype, or an error that says why not."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tailops import _checks
from tailops._checks import foreign_dtype, require_dense
from tailops._options import TailOptions, require_rank_of


def dtype_of(argument: str, values: Any) -> str:
    """The name of the dtype: TensorFlow's, or NumPy's where TensorFlow has none.

    Raises:
        TypeError: They are no dense tensor.
        ValueError: A list that is no array.
    """
    require_dense(argument, values)
    dtype = getattr(values, "dtype", None)
    if dtype is None:
        try:
            return str(tf.convert_to_tensor(values).dtype.name)
        except (TypeError, ValueError):
            values = np.asarray(values)
            dtype = values.dtype
    foreign = foreign_dtype(values)
    if foreign is not None:
        return foreign
    try:
        return str(tf.as_dtype(dtype).name)
    except TypeError:  # of another library, which TensorFlow may convert all the same
        return str(tf.convert_to_tensor(values).dtype.name)


def as_tensor(argument: str, values: Any, allowed: tuple[str, ...]) -> tf.Tensor:
    """The values as a tensor; TypeError unless it is a dense one of these dtypes."""
    dtype = dtype_of(argument, values)
    if dtype not in allowed:
        raise TypeError(f"{argument} of dtype {dtype}: must be one of {', '.join(allowed)}")
    return tf.convert_to_tensor(values)


def require_dtypes(y_true: Any, y_pred: Any, ignore_value: float | None = None) -> None:
    """As `_checks.require_dtypes`, of tensors."""
    dtypes = dtype_of("y_true", y_true), dtype_of("y_pred", y_pred)
    _checks.require_dtypes(*dtypes, ignore_value)


class Inputs(NamedTuple):
    """What the op and the reference take. The mask is True where an element counts."""

    y_true: tf.Tensor
    y_pred: tf.Tensor
    mask: tf.Tensor | None
    options: TailOptions


def _as_mask(mask: Any, predictions: tf.Tensor) -> tf.Tensor:
    dtype = dtype_of("mask", mask)
    if dtype != "bool":
        raise TypeError(f"mask of dtype {dtype}: must be bool")
    tensor = _checks.like(tf, tf.convert_to_tensor(mask), predictions)
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
