"""Weights as the ops take them, and as the gradient of what has them needs them."""

from typing import Any

import tensorflow as tf

from tailops._tensorflow.tensors import dtype_of
from tailops._weights import known_weights


def as_weights(weights: Any) -> tf.Tensor:
    """Real numbers as float32 or float64, checked as far as their values are known.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is known to be negative or not finite.
    """
    if not isinstance(weights, tf.Tensor | tf.Variable):
        return tf.constant(known_weights(weights))
    name = dtype_of("weights", weights)
    given = tf.convert_to_tensor(weights)
    if not (given.dtype.is_floating or given.dtype.is_integer or given.dtype.is_bool):
        raise TypeError(f"weights of dtype {name}: must be real numbers")
    if given.shape.rank is None:
        raise ValueError("weights of unknown rank: their number of dimensions must be known")
    if given.dtype in (tf.float32, tf.float64):
        return given
    return tf.cast(given, tf.float32 if given.dtype.is_floating else tf.float64)


def arrays_of(weights: tf.Tensor | None) -> list[tf.Tensor]:
    """The ops' input: one or none."""
    return [] if weights is None else [weights]


def times_each(gradient: tf.Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
    """What an op leaves to be multiplied by the weights that it had, if it had any."""
    return gradient * tf.cast(weights[0], gradient.dtype) if weights else gradient
