"""TensorFlow's tensors, as the shared checks of `tailops._inputs` ask for them."""

from typing import Any

import numpy as np
import tensorflow as tf

from tailops._checks import foreign_dtype, require_dense

tensor, cast = tf.convert_to_tensor, tf.cast
expand_dims, squeeze, ones_like = tf.expand_dims, tf.squeeze, tf.ones_like
is_nan = tf.math.is_nan


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
