"""What the functions of `tailops.selection` share: arguments as the op takes them, and results."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tailops._axes import as_one_axis, reduced_axes, with_kept_axes
from tailops._checks import FLOATING, INTEGERS, require_dense
from tailops._quantiles import (
    hundredths,
    known_fractions,
    may_interpolate,
    require_in_range,
    require_parts,
)
from tailops._tensorflow import tensors
from tailops._tensorflow.selection import select
from tailops._tensorflow.tensors import as_tensor, dtype_of
from tailops._tensorflow.weights import as_weights
from tailops._weights import weights_of_rows


def whole_number(argument: str, value: Any, low: int, high: int | None) -> tf.Tensor:
    """A scalar integer as float64, in [low, high] if it is known; None: no end is known."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        require_in_range(argument, int(value), low, high)
        return tf.constant(int(value), tf.float64)
    dtype = dtype_of(argument, value)
    if dtype not in INTEGERS:
        raise TypeError(f"{argument} of dtype {dtype}: must be an integer")
    number = tf.convert_to_tensor(value)
    if number.shape.rank not in (0, None):
        raise ValueError(f"{argument} of shape {tuple(number.shape)}: must be a scalar")
    known = tf.get_static_value(number)
    if known is not None:
        require_in_range(argument, int(known), low, high)
    return tf.cast(number, tf.float64)


def fractions(q: Any, whole: int = 1) -> tf.Tensor:
    """Parts of a whole as float64 fractions; ValueError where one is known to be outside."""
    require_dense("q", q)
    if not isinstance(q, tf.Tensor | tf.Variable):
        return tf.constant(known_fractions(q, whole))
    given = tf.convert_to_tensor(q)
    if not (given.dtype.is_floating or given.dtype.is_integer):
        raise TypeError(f"q of dtype {given.dtype.name}: must be real numbers")
    if given.shape.rank is None:
        raise ValueError("q of unknown rank: its number of dimensions must be known")
    parts = tf.cast(given, tf.float64)
    known = tf.get_static_value(parts)
    if known is not None:
        require_parts(known, whole)
    return parts if whole == 1 else hundredths(parts, 53)


def as_floating(argument: str, values: Any) -> tf.Tensor:
    """A real tensor; integers and booleans in Keras's `floatx`, as Keras itself promotes them."""
    tensor = as_tensor(argument, values, (*FLOATING, *INTEGERS, "bool"))
    return tensor if tensor.dtype.is_floating else tf.cast(tensor, keras.config.floatx())


def rows_of(x: tf.Tensor, axis: Any) -> tuple[tf.Tensor, int | None, list[int] | None]:
    """The tensor with its axes made one, which that is, and which they were; None: not known."""
    if x.shape.rank is not None:
        axes = reduced_axes(tensors, axis, x.shape.rank)
        return *as_one_axis(tensors, x, axes), axes
    axis = tensors.known_axis(axis)
    if axis is None:
        return tf.reshape(x, [-1]), None, None
    if isinstance(axis, int) and not isinstance(axis, bool):
        return x, axis, None
    raise ValueError(f"axis={axis!r} of x of unknown rank: must be one integer or None")


def first_places(
    rows: tf.Tensor, value: tf.Tensor, axis: int | None, weights: tf.Tensor | None = None
) -> tf.Tensor:
    """Where along the axis each group has its first element equal to its value, for every q.

    With weights the first that counts.
    """
    if axis is None:
        rows, axis = tf.reshape(rows, [-1]), 0
        weights = None if weights is None else tf.reshape(weights, [-1])

    def place(of_one: tf.Tensor) -> tf.Tensor:
        looked_for = tf.expand_dims(of_one, axis)
        found = rows == looked_for
        if weights is not None:
            found &= weights > 0
        if rows.dtype.is_floating:
            found |= tf.math.is_nan(rows) & tf.math.is_nan(looked_for)
        return tf.argmax(tf.cast(found, tf.int8), axis, tf.int64)

    return tf.map_fn(place, value, fn_output_signature=tf.int64)


def with_kept(
    value: tf.Tensor, x: tf.Tensor, axis: Any, axes: list[int] | None, before: int
) -> Any:
    """The reduced axes put back with size 1, behind the first `before` dimensions."""
    if axes is not None:
        return with_kept_axes(tensors, value, axes, before)
    if axis is None:
        ones = tf.ones([tf.rank(x)], tf.int32)
        return tf.reshape(value, tf.concat([tf.shape(value)[:before], ones], 0))
    place = axis + before if axis >= 0 else axis
    return tf.expand_dims(value, place)


def _weights_of_rows(weights: Any, x: tf.Tensor, axis: Any, axes: list[int] | None) -> tf.Tensor:
    given = as_weights(weights)
    if axes is None:  # x of unknown rank
        return tf.reshape(given, [-1]) if axis is None else given
    return weights_of_rows(tensors, given, x, axis, axes)


def quantiles(
    x: Any,
    q: tf.Tensor,
    axis: Any,
    method: str,
    keepdims: bool,
    ignore_nan: bool,
    return_indices: bool,
    weights: Any,
) -> Any:
    """The selection under every function of quantiles.

    Args:
        x: Real values, or booleans.
        q: Fractions, of known rank.
        axis: As NumPy has it.
        method: A rank rule.
        keepdims: Whether reduced axes stay.
        ignore_nan: Whether NaN is left out.
        return_indices: Whether places are returned, too.
        weights: How much each element counts; None: once.
    """
    if may_interpolate(method, return_indices, weights is not None):
        tensor = as_floating("x", x)
    else:
        tensor = as_tensor("x", x, (*FLOATING, *INTEGERS, "bool"))
    is_boolean = tensor.dtype == tf.bool
    rows, one_axis, axes = rows_of(tf.cast(tensor, tf.uint8) if is_boolean else tensor, axis)
    counts = None if weights is None else _weights_of_rows(weights, tensor, axis, axes)
    flat = q if q.shape.rank <= 1 else tf.reshape(q, [-1])
    value = select(rows, flat, method, one_axis, ignore_nan, counts)

    def as_asked(found: tf.Tensor) -> tf.Tensor:
        if q.shape.rank > 1:
            found = tf.reshape(found, tf.concat([tf.shape(q), tf.shape(found)[1:]], 0))
        return with_kept(found, tensor, axis, axes, q.shape.rank) if keepdims else found

    result = as_asked(tf.cast(value, tf.bool) if is_boolean else value)
    if not return_indices:
        return result
    if flat.shape.rank == 0:
        return result, as_asked(first_places(rows, value[None], one_axis, counts)[0])
    return result, as_asked(first_places(rows, value, one_axis, counts))
