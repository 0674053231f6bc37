"""Selection in plain TensorFlow ops: sorted, differentiated by TensorFlow, made to be read.

This is the definition that the native op is tested against, and what runs inside XLA where the
build has no kernels for it.
"""

import tensorflow as tf

from tailops.reference import RANKS

__all__ = ["select"]


def _ranks(q: tf.Tensor, n: tf.Tensor, method: str) -> tf.Tensor:
    if method == "rank":
        return tf.minimum(q, n - 1)
    if method == "rank_from_top":
        return tf.maximum(n - 1 - q, 0)
    return RANKS[method](n, q)


def _elements(x: tf.Tensor, ascending: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    """Of x's last axis, whose gradient is split equally over the elements equal to each."""
    value = tf.gather(ascending, tf.cast(rank, tf.int64), batch_dims=rank.shape.rank - 1)
    if not x.dtype.is_floating:
        return value
    each = tf.expand_dims(x, -2)
    up_to_it = tf.where(each <= tf.stop_gradient(value)[..., None], each, -float("inf"))
    return tf.where(tf.math.is_inf(value), value, tf.reduce_max(up_to_it, -1))


def select(
    x: tf.Tensor,
    q: tf.Tensor,
    *,
    method: str,
    axis: int | None,
    ignore_nan: bool = False,
) -> tf.Tensor:
    """Quantiles of x, or its elements of rank q.

    Args:
        x: Real numbers, of known rank.
        q: A scalar or a vector of float64.
        method: "floor", "lower", "higher", "nearest", "midpoint", "linear", "rank" or
            "rank_from_top".
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out; otherwise it is the result where there is one.

    Returns:
        Of x's dtype, q's shape before that of x without the axis.

    Example:
        >>> x, q = tf.constant([4.0, 1.0, 2.0]), tf.constant([0.5, 0.75], tf.float64)
        >>> select(x, q, method="linear", axis=None).numpy().tolist()
        [2.0, 3.0]
    """
    if q.shape.rank == 0:
        value = select(x, tf.reshape(q, [1]), method=method, axis=axis, ignore_nan=ignore_nan)
        return tf.squeeze(value, 0)
    given = x.dtype
    if given in (tf.float16, tf.bfloat16):
        x = tf.cast(x, tf.float32)
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    others = [i for i in range(x.shape.rank) if i != axis % x.shape.rank]
    x = tf.transpose(x, [*others, axis % x.shape.rank])
    nan = tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)
    if ignore_nan:
        x = tf.where(nan, tf.constant(float("inf"), x.dtype), x)
    left_out = tf.logical_and(nan, ignore_nan)
    n = tf.reduce_sum(tf.cast(~left_out, tf.float64), -1, keepdims=True)
    rank = _ranks(q, n, method)
    below = tf.floor(tf.maximum(rank, 0))
    above = tf.clip_by_value(below + 1, 0, tf.maximum(n - 1, 0))
    ascending = tf.sort(x, axis=-1)
    lower = _elements(x, ascending, below)
    if x.dtype.is_floating:
        weight = tf.cast(rank - below, x.dtype)
        upper = _elements(x, ascending, above)
        gap = upper - lower
        mixed = tf.where(weight < 0.5, lower + gap * weight, upper - gap * (1 - weight))
        value = tf.where((weight <= 0) | (lower == upper), lower, mixed)
        bad = n == 0 if ignore_nan else tf.reduce_any(nan, -1, keepdims=True)
        value = tf.where(bad, tf.constant(float("nan"), x.dtype), value)
    else:
        value = lower
    rank_of_value = value.shape.rank
    value = tf.transpose(value, [rank_of_value - 1, *range(rank_of_value - 1)])
    return tf.cast(value, given)
