"""The same loss as people write it today, each the best honest way with one TensorFlow op.

All compute the mean of ℓ = e(1 + s·h) with t = e₍⌊n·p⌋₎ and the whole function differentiated.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tailops import ops
from tailops._options import TailOptions

PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE = 0.99, 100.0, 10.0

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


class Peer(NamedTuple):
    """A loss, and whether XLA compiles its step."""

    loss: Loss
    jit_compile: bool = False


def _weighted_mean(error: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    h = 0.5 * (1.0 + tf.tanh(SMOOTHING_FACTOR * (error - threshold)))
    return tf.reduce_mean(error * (1.0 + ERROR_SCALE * h))


def _rank(error: tf.Tensor) -> int:
    n = error.shape[0]
    return min(int(n * PERCENTILE), n - 1)


def with_tailops(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """The fused op."""
    options = TailOptions(PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE)
    return ops.tail_loss(y_true, y_pred, options, reduction="mean")


def with_sort(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """As published: sort everything, take one element."""
    error = tf.abs(y_pred - y_true)
    return _weighted_mean(error, tf.sort(error)[_rank(error)])


def with_top_k(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Sort the largest one percent only."""
    error = tf.abs(y_pred - y_true)
    largest = tf.math.top_k(error, error.shape[0] - _rank(error)).values
    return _weighted_mean(error, largest[-1])


def with_nth_element(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """TensorFlow's own selection."""
    error = tf.abs(y_pred - y_true)
    return _weighted_mean(error, tf.raw_ops.NthElement(input=error, n=_rank(error)))


PEERS = {
    "tailops": Peer(with_tailops),
    "tf.sort": Peer(with_sort),
    "tf.math.top_k": Peer(with_top_k),
    "NthElement": Peer(with_nth_element),
    "tailops, XLA": Peer(with_tailops, jit_compile=True),
    "tf.sort, XLA": Peer(with_sort, jit_compile=True),
}
