"""TensorFlow's tensors, as the shared checks of `tailops._inputs` ask for them."""

from typing import Any

import numpy as np
import tensorflow as tf

from tailops._checks import foreign_dtype, require_dense

tensor, cast = tf.convert_to_tensor, tf.cast
expand_dims, squeeze, ones_like = tf.expand_dims, tf.squeeze, tf.ones_like
reshape, transpose, broadcast_to = tf.reshape, tf.transpose, tf.broadcast_to
is_nan, where = tf.math.is_nan, tf.where
total, any_along = tf.reduce_sum, tf.reduce_any
divide_no_nan = tf.math.divide_no_nan


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


def same_shape(a: tf.Tensor, b: tf.Tensor) -> bool:
    """Whether they may be of one shape, as far as both are known."""
    compatible: bool = a.shape.is_compatible_with(b.shape)
    return compatible


def differs(values: tf.Tensor, value: float) -> tf.Tensor:
    """Where they are not this value, in their own dtype."""
    return tf.not_equal(values, tf.cast(value, values.dtype))


def sizes(x: tf.Tensor) -> list[Any]:
    """Of every axis; a tensor where only run time knows."""
    known = x.shape.as_list()
    return [tf.shape(x)[i] if size is None else size for i, size in enumerate(known)]


def known_axis(axis: Any) -> Any:
    """What a tensor or an array holds, as Python has it; all else as it is."""
    if isinstance(axis, tf.Tensor | tf.Variable):
        axis = tf.get_static_value(tf.convert_to_tensor(axis))
        if axis is None:
            raise TypeError(
                "axis is a tensor that only run time knows: must be an integer, a tuple of "
                "integers or None"
            )
    return axis.tolist() if isinstance(axis, np.ndarray | np.generic) else axis


def known_number(scalar: tf.Tensor) -> float | None:
    """What it holds; None if only run time knows."""
    known = tf.get_static_value(scalar)
    return None if known is None else float(known)


def wide(scalar: Any) -> tf.Tensor:
    """In float64: a float of Python too, which `tf.cast` alone would take through float32."""
    return (
        tf.constant(scalar, tf.float64) if isinstance(scalar, float) else tf.cast(scalar, "float64")
    )


def numbers(*scalars: Any) -> tf.Tensor:
    """A vector of them, in float64."""
    return tf.stack([wide(scalar) for scalar in scalars])
