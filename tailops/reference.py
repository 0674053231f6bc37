"""The tail losses in plain TensorFlow ops: sorted, differentiated by TensorFlow, made to be read.

This is the definition that the fused op is tested against, and what `impl="reference"` of the
functions in `tailops.losses` runs. It costs a sort, and memory of several times the batch.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tailops._inputs import as_pair
from tailops._options import TailOptions, require_rank_of, require_reduction

__all__ = ["tail_loss"]

# e(d, ε); the last is √(d² + ε²) − ε without its cancellation.
ERRORS: dict[str, Callable[[tf.Tensor, float], tf.Tensor]] = {
    "absolute": lambda d, _: tf.abs(d),
    "squared": lambda d, _: tf.square(d),
    "smooth_absolute": lambda d, ε: tf.square(d) / (tf.sqrt(tf.square(d) + ε * ε) + ε),
}

# The rank, as a fraction where two order statistics are interpolated, from n and p in float64.
RANKS: dict[str, Callable[[tf.Tensor, float], tf.Tensor]] = {
    "floor": lambda n, p: tf.minimum(tf.floor(n * p), n - 1),
    "lower": lambda n, p: tf.floor(p * (n - 1)),
    "higher": lambda n, p: tf.math.ceil(p * (n - 1)),
    "nearest": lambda n, p: tf.round(p * (n - 1)),
    "midpoint": lambda n, p: (tf.floor(p * (n - 1)) + tf.math.ceil(p * (n - 1))) / 2,
    "linear": lambda n, p: p * (n - 1),
    "max_fraction": lambda n, _: n - 1,
}


def order_statistic(error: tf.Tensor, rank: tf.Tensor, axis: int | None) -> tf.Tensor:
    """The element of this rank, whose gradient is split equally over the elements equal to it."""
    if axis is None:
        value = tf.sort(tf.reshape(error, [-1]))[rank]
    else:
        value = tf.gather(tf.sort(error, axis=axis), [rank], axis=axis)
    up_to_it = tf.where(error <= tf.stop_gradient(value), error, -float("inf"))
    return tf.reduce_max(up_to_it, axis=axis, keepdims=axis is not None)


def threshold(error: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """t, of a shape that broadcasts against the errors. NaN if any error of the group is."""
    axis = options.axis
    n = tf.size(error, tf.int64) if axis is None else tf.shape(error, tf.int64)[axis]
    rank = RANKS[options.method](tf.cast(n, tf.float64), options.percentile)
    below = tf.cast(tf.floor(rank), tf.int64)
    above = tf.minimum(below + 1, n - 1)
    weight = tf.cast(rank - tf.floor(rank), error.dtype)

    lower = order_statistic(error, below, axis)
    upper = order_statistic(error, above, axis)
    t = tf.where(weight == 0, lower, lower + weight * (upper - lower))
    if options.method == "max_fraction":
        t = options.percentile * t
    any_nan = tf.reduce_any(tf.math.is_nan(error), axis=axis, keepdims=axis is not None)
    return tf.where(any_nan, tf.constant(float("nan"), error.dtype), t)


def elementwise_loss(d: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """β·d² + (1 − β)·e(1 + s·h), with h = ½(1 + tanh(κ(e − t)))."""
    e = ERRORS[options.error](d, options.epsilon)
    t = threshold(e, options)
    if options.gradient == "fixed_threshold":
        t = tf.stop_gradient(t)
    h = 0.5 * (1 + tf.tanh(options.smoothing_factor * (e - t)))
    weight = 1 + options.error_scale * h
    if options.gradient == "fixed_weight":
        weight = tf.stop_gradient(weight)
    weighted = e * weight
    if options.beta == 0:
        return weighted
    return options.beta * tf.square(d) + (1 - options.beta) * weighted


def _per_sample(loss: tf.Tensor) -> tf.Tensor:
    if loss.shape.rank is None:
        raise ValueError("the reference needs the rank of y_pred: it is unknown here")
    return loss if loss.shape.rank < 2 else tf.reduce_mean(loss, axis=-1)


REDUCTIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "none": lambda loss: loss,
    "per_sample": _per_sample,
    "mean": lambda loss: tf.reduce_mean(_per_sample(loss)),
    "sum": lambda loss: tf.reduce_sum(_per_sample(loss)),
}


def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
) -> tf.Tensor:
    """The same function as `tailops.ops.tail_loss`, with the same arguments and errors.

    Differences: it can be differentiated twice; an empty tensor is not an error of its own; and
    where an error is infinite, TensorFlow's derivative is NaN (∞·0) and the fused op's is not.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        options: What to compute; None: the defaults.
        reduction: "none", "per_sample", "mean" or "sum".

    Returns:
        The loss, of y_pred's dtype; float16 and bfloat16 are computed in float32.

    Raises:
        TypeError, ValueError: As `tailops.ops.tail_loss`.

    Example:
        >>> float(tail_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], reduction="mean"))
        9.0
    """
    options = options or TailOptions()
    require_reduction(reduction)
    targets, predictions = as_pair(y_true, y_pred)
    require_rank_of(options.axis, predictions.shape.rank)
    wide = tf.float64 if predictions.dtype == tf.float64 else tf.float32
    d = tf.cast(predictions, wide) - tf.cast(targets, wide)
    return tf.cast(REDUCTIONS[reduction](elementwise_loss(d, options)), predictions.dtype)
