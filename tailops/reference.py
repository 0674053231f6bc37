"""The tail losses in plain TensorFlow ops: sorted, differentiated by TensorFlow, made to be read.

This is the definition that the fused op is tested against, and what `impl="reference"` of the
functions in `tailops.losses` runs. It costs a sort, and memory of several times the batch.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tailops._inputs import as_inputs, valid_elements
from tailops._options import TailOptions, require_reduction

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
    """The element of this rank, whose gradient is split equally over the elements equal to it.

    `rank` has the shape of the errors with `axis` of length 1, or is a scalar without an axis.
    """
    if axis is None:
        value = tf.sort(tf.reshape(error, [-1]))[rank]
    else:
        value = tf.experimental.numpy.take_along_axis(tf.sort(error, axis=axis), rank, axis=axis)
    up_to_it = tf.where(error <= tf.stop_gradient(value), error, -float("inf"))
    return tf.reduce_max(up_to_it, axis=axis, keepdims=axis is not None)


def threshold(error: tf.Tensor, valid: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """t, of a shape that broadcasts against the errors. NaN if any valid error of the group is.

    Ignored errors order before all others: a rank among those is that many further.
    """
    group = {"axis": options.axis, "keepdims": options.axis is not None}
    n = tf.math.count_nonzero(valid, **group)
    ignored = tf.math.count_nonzero(~valid, **group)
    of_valid = tf.maximum(n, 1)
    rank = RANKS[options.method](tf.cast(of_valid, tf.float64), options.percentile)
    below = tf.cast(tf.floor(rank), tf.int64)
    above = tf.minimum(below + 1, of_valid - 1)
    weight = tf.cast(rank - tf.floor(rank), error.dtype)

    ordered = tf.where(valid, error, -float("inf"))
    last = n + ignored - 1
    lower = order_statistic(ordered, tf.minimum(below + ignored, last), options.axis)
    upper = order_statistic(ordered, tf.minimum(above + ignored, last), options.axis)
    t = tf.where(weight == 0, lower, lower + weight * (upper - lower))
    if options.method == "max_fraction":
        t = options.percentile * t
    any_nan = tf.reduce_any(tf.math.is_nan(ordered), **group)
    t = tf.where(any_nan, tf.constant(float("nan"), error.dtype), t)
    return tf.where(n == 0, tf.zeros_like(t), t)


def elementwise_loss(d: tf.Tensor, valid: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """β·d² + (1 − β)·e(1 + s·h), with h = ½(1 + tanh(κ(e − t))); 0 where an element is ignored."""
    d = tf.where(valid, d, tf.zeros_like(d))
    e = ERRORS[options.error](d, options.epsilon)
    t = threshold(e, valid, options)
    if options.gradient == "fixed_threshold":
        t = tf.stop_gradient(t)
    h = 0.5 * (1 + tf.tanh(options.smoothing_factor * (e - t)))
    weight = 1 + options.error_scale * h
    if options.gradient == "fixed_weight":
        weight = tf.stop_gradient(weight)
    weighted = e * weight
    if options.beta != 0:
        weighted = options.beta * tf.square(d) + (1 - options.beta) * weighted
    return tf.where(valid, weighted, tf.zeros_like(weighted))


def _mean(loss: tf.Tensor, valid: tf.Tensor, axis: int | None = None) -> tf.Tensor:
    n = tf.cast(tf.math.count_nonzero(valid, axis=axis), loss.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(loss, axis=axis), n)


def _per_sample(loss: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    if loss.shape.rank is None:
        raise ValueError("the reference needs the rank of y_pred: it is unknown here")
    return loss if loss.shape.rank < 2 else _mean(loss, valid, axis=-1)


REDUCTIONS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "none": lambda loss, _: loss,
    "per_sample": _per_sample,
    "mean": _mean,
    "sum": lambda loss, valid: tf.reduce_sum(_per_sample(loss, valid)),
}


def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> tf.Tensor:
    """The same function as `tailops.ops.tail_loss`, with the same arguments and errors.

    Differences: it can be differentiated twice; an empty tensor is not an error of its own; and
    where an error is infinite, TensorFlow's derivative is NaN (∞·0) and the fused op's is not.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        options: What to compute; None: the defaults.
        reduction: "none", "per_sample", "mean" or "sum".
        mask: As of `tailops.ops.tail_loss`.

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
    inputs = as_inputs(y_true, y_pred, options, mask)
    dtype = inputs.y_pred.dtype
    wide = tf.float64 if dtype == tf.float64 else tf.float32
    d = tf.cast(inputs.y_pred, wide) - tf.cast(inputs.y_true, wide)
    valid = valid_elements(inputs)
    if valid is None:
        valid = tf.ones_like(d, tf.bool)
    loss = elementwise_loss(d, valid, inputs.options)
    return tf.cast(REDUCTIONS[reduction](loss, valid), dtype)
