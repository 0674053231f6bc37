"""The tail losses in plain TensorFlow ops: sorted, and made to be read.

This is the definition that the fused op is tested against, and what `impl="reference"` of the
functions in `tailops.losses` runs. It costs a sort, and memory of several times the batch.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tailops._checks import rank_of
from tailops._families import documented
from tailops._inputs import as_inputs, valid_elements
from tailops._options import TailOptions, require_reduction
from tailops._reductions import reduced
from tailops._tensorflow import tensors

__all__ = ["tail_loss"]


def _smooth_absolute(d: tf.Tensor, ε: float) -> tf.Tensor:
    """√(d² + ε²) − ε, rearranged so that nothing cancels, overflows, or is NaN at infinity."""
    a = tf.abs(d)
    large = a > ε
    far = tf.where(large & tf.math.is_finite(a), a, tf.ones_like(a) * ε)
    near = tf.where(large, tf.ones_like(a) * ε, a)
    q, r = ε / far, near / ε
    of_far = far / (tf.sqrt(1 + q * q) + q)
    of_near = near * (r / (tf.sqrt(1 + r * r) + 1))
    return tf.where(tf.math.is_inf(a), a, tf.where(large, of_far, of_near))


# e(d, ε), of d = ŷ − y; of "value", d is ŷ itself.
ERRORS: dict[str, Callable[[tf.Tensor, float], tf.Tensor]] = {
    "absolute": lambda d, _: tf.abs(d),
    "squared": lambda d, _: tf.square(d),
    "smooth_absolute": _smooth_absolute,
    "value": lambda d, _: d,
}


def _product(a: tf.Tensor, b: tf.Tensor | float) -> tf.Tensor:
    """Of numbers that are not negative: rounded, as XLA would not, which fuses it with a sum."""
    return tf.maximum(a * b, 0)


def _averaged(rank: tf.Tensor) -> tf.Tensor:
    """Between two elements where the rank is whole, which is where the distribution is flat."""
    return tf.where(rank == tf.floor(rank), rank + 0.5, tf.math.ceil(rank))


def _half_to_odd(rank: tf.Tensor) -> tf.Tensor:
    below = tf.floor(rank - 0.5)
    return tf.where((rank - 0.5 == below) & (below % 2 == 1), below, below + 1)


def _plotting(α: float) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    return lambda n, p: _product(n, p) + (α + _product(p, 1 - α - α)) - 1


# The rank, as a fraction where two order statistics are interpolated, from n and p in float64.
# Before the first it is the first, behind the last the last.
RANKS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "floor": lambda n, p: tf.floor(n * p),
    "lower": lambda n, p: tf.floor(p * (n - 1)),
    "higher": lambda n, p: tf.math.ceil(p * (n - 1)),
    "nearest": lambda n, p: tf.round(p * (n - 1)),
    "midpoint": lambda n, p: (tf.floor(p * (n - 1)) + tf.math.ceil(p * (n - 1))) / 2,
    "linear": lambda n, p: p * (n - 1),
    "inverted_cdf": lambda n, p: tf.math.ceil(_product(n, p) - 1),
    "averaged_inverted_cdf": lambda n, p: _averaged(_product(n, p) - 1),
    "closest_observation": lambda n, p: _half_to_odd(_product(n, p) - 1),
    "interpolated_inverted_cdf": lambda n, p: _product(n, p) - 1,
    "hazen": _plotting(1 / 2),
    "weibull": _plotting(0),
    "median_unbiased": _plotting(1 / 3),
    "normal_unbiased": _plotting(3 / 8),
    "max_fraction": lambda n, _: n - 1,
}


class Threshold(NamedTuple):
    """t, and the order statistics of which it is made, each with ∂t/∂ it.

    All have a shape that broadcasts against the errors.
    """

    value: tf.Tensor
    lower: tf.Tensor
    upper: tf.Tensor
    lower_weight: tf.Tensor
    upper_weight: tf.Tensor


def order_statistic(error: tf.Tensor, rank: tf.Tensor, axis: int | None) -> tf.Tensor:
    """The element of this rank.

    `rank` has the shape of the errors with `axis` of length 1, or is a scalar without an axis.
    """
    if axis is None:
        return tf.sort(tf.reshape(error, [-1]))[rank]
    return tf.experimental.numpy.take_along_axis(tf.sort(error, axis=axis), rank, axis=axis)


def interpolate(lower: tf.Tensor, upper: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """NumPy's interpolation; where the gap is not finite, the weighted sum, as in rank.h."""
    gap = tf.cast(upper - lower, tf.float64)
    below, above = tf.cast(lower, tf.float64), tf.cast(upper, tf.float64)
    numpys = tf.where(weight < 0.5, below + gap * weight, above - gap * (1 - weight))
    mixed = tf.where(tf.math.is_inf(gap), below * (1 - weight) + above * weight, numpys)
    value = tf.where((weight == 0) | (lower == upper), below, mixed)
    return tf.cast(value, lower.dtype)


def threshold(error: tf.Tensor, valid: tf.Tensor, options: TailOptions) -> Threshold:
    """The threshold of every group. NaN if any valid error of the group is.

    Ignored errors order before all others: a rank among those is that many further.
    """
    group = {"axis": options.axis, "keepdims": options.axis is not None}
    n = tf.math.count_nonzero(valid, **group)
    ignored = tf.math.count_nonzero(~valid, **group)
    of_valid = tf.maximum(n, 1)
    p = tensors.wide(options.percentile)
    elements = tf.cast(of_valid, tf.float64)
    rank = tf.clip_by_value(RANKS[options.method](elements, p), 0, elements - 1)
    below = tf.cast(tf.floor(rank), tf.int64)
    above = tf.minimum(below + 1, of_valid - 1)
    weight = rank - tf.floor(rank)

    ordered = tf.where(valid, error, -float("inf"))
    last = n + ignored - 1
    lower = order_statistic(ordered, tf.minimum(below + ignored, last), options.axis)
    upper = order_statistic(ordered, tf.minimum(above + ignored, last), options.axis)
    upper = tf.where(weight == 0, lower, upper)
    t = interpolate(lower, upper, weight)
    factor = p if options.method == "max_fraction" else tensors.wide(1.0)
    t = tf.cast(factor * tf.cast(t, tf.float64), t.dtype)
    any_nan = tf.reduce_any(tf.math.is_nan(ordered), **group)
    t = tf.where(any_nan, tf.constant(float("nan"), error.dtype), t)
    t = tf.where(n == 0, tf.zeros_like(t), t)
    weight = tf.where(lower == upper, tf.zeros_like(weight), weight)
    return Threshold(t, lower, upper, factor * (1 - weight), factor * weight)


def _product_or_zero(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """0 where a factor is, even if the other is infinite."""
    return tf.where((a == 0) | (b == 0), tf.zeros_like(a * b), a * b)


def _steepness(κ: tf.Tensor, t: tf.Tensor, unit: str) -> tf.Tensor:
    """2κ in 1/error; of a threshold of which nothing is a unit, infinite: a hard step."""
    if unit == "error":
        return 2 * κ
    hard = (t == 0) | tf.math.is_inf(t)
    of_group = 2 * κ / tf.where(hard, tf.ones_like(t), tf.abs(t))
    of_group = tf.where(hard, tf.constant(float("inf"), t.dtype), of_group)
    return tf.where(κ == 0, κ, of_group)


def weighted_errors(e: tf.Tensor, valid: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """ℓ = e(1 + s·h), with h = ½(1 + tanh(κ(e − t))), and its gradient by e.

    With `smoothing_unit="threshold"`, κ/|t| stands for κ, as a constant.

    The gradient is written out: what an element that is the threshold has of its own spike s·e·h′,
    and its share of those of all elements equal to it, cancel where the upstream gradients are
    equal. Differentiated by TensorFlow, they would leave their rounding errors, or NaN.
    """
    t = threshold(e, valid, options)
    group = {"axis": options.axis, "keepdims": options.axis is not None}

    κ = tf.cast(tensors.wide(options.smoothing_factor), t.value.dtype)
    steepness = tf.stop_gradient(_steepness(κ, t.value, options.smoothing_unit))

    def indicator(errors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The indicator h and h′. Equal infinities are no distance apart, nor is any if κ = 0."""
        at, steep = tf.cast(t.value, errors.dtype), tf.cast(steepness, errors.dtype)
        distance = errors - at
        none = (errors == at) | ((steep == 0) & ~tf.math.is_nan(distance))
        z = tf.where(none, tf.zeros_like(distance), steep * distance)
        slope = tf.where(tf.math.is_inf(steep), tf.zeros_like(steep), steep)
        return tf.sigmoid(z), slope * tf.sigmoid(z) * tf.sigmoid(-z)

    def by_error(e: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
        h, slope = indicator(e)
        scale = tf.cast(tensors.wide(options.error_scale), e.dtype)
        direct = g * (1 + scale * h)
        if options.gradient == "fixed_weight":
            return direct
        spike = _product_or_zero(scale, _product_or_zero(e, slope))
        if options.gradient == "fixed_threshold":
            return direct + _product_or_zero(spike, g)

        def total(mask: tf.Tensor, of: tf.Tensor) -> tf.Tensor:
            return tf.reduce_sum(tf.where(mask, of, tf.zeros_like(of)), **group)

        def mean(mask: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            """Of g; exact where all are the same."""
            least = tf.reduce_min(tf.where(mask, g, float("inf")), **group)
            most = tf.reduce_max(tf.where(mask, g, -float("inf")), **group)
            return tf.where(least == most, least, total(mask, g) / count)

        at_lower = valid & (e == tf.cast(t.lower, e.dtype))
        at_upper = valid & (e == tf.cast(t.upper, e.dtype)) & ~at_lower
        others = valid & ~at_lower & ~at_upper
        spikes = _product_or_zero(spike, g)
        through = -total(others, spikes)
        result = direct + tf.where(others, spikes, tf.zeros_like(g))
        for ties, weight, of_others in (
            (at_lower, t.lower_weight, at_upper),
            (at_upper, t.upper_weight, at_lower),
        ):
            count = tf.maximum(total(ties, tf.ones_like(g)), 1)
            own = _product_or_zero(spike, g - weight * mean(ties, count))
            # An infinite spike is no other element's.
            of_these = through - total(of_others & tf.math.is_finite(spike), spikes)
            result += tf.where(ties, own + weight / count * of_these, tf.zeros_like(g))
        return result

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def weighted(e: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
        h, _ = indicator(e)

        def gradient(g: tf.Tensor) -> tf.Tensor:
            # In float64, for spikes that nearly cancel.
            wide = by_error(tf.cast(e, tf.float64), tf.cast(g, tf.float64))
            return tf.cast(wide, e.dtype)

        scale = tf.cast(tensors.wide(options.error_scale), e.dtype)
        return e * (1 + scale * h), gradient

    result: tf.Tensor = weighted(e)
    return result


def elementwise_loss(d: tf.Tensor, valid: tf.Tensor, options: TailOptions) -> tf.Tensor:
    """β·d² + (1 − β)·ℓ; 0 where an element is ignored."""
    d = tf.where(valid, d, tf.zeros_like(d))
    weighted = weighted_errors(ERRORS[options.error](d, options.epsilon), valid, options)
    if options.beta == 1:
        # Nothing of an infinite error that counts for nothing; but a NaN is the group's.
        nan_or_one = tf.where(tf.math.is_nan(weighted), weighted, tf.ones_like(weighted))
        weighted = tf.square(d) * tf.stop_gradient(nan_or_one)
    elif options.beta != 0:
        weighted = options.beta * tf.square(d) + (1 - options.beta) * weighted
    return tf.where(valid, weighted, tf.zeros_like(weighted))


@documented()
def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> tf.Tensor:
    """The same function as `tailops.ops.tail_loss`, with the same arguments and errors.

    Differences: it can be differentiated twice, and an empty tensor is not an error of its own.

    Args:
        ...: `help()` describes it, from the tables of `tailops._families`.

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
    inputs = as_inputs(tensors, y_true, y_pred, options, mask)
    shared = options.for_batch(rank_of(inputs.y_pred.shape)).synchronized
    if shared and tf.distribute.get_strategy().num_replicas_in_sync > 1:
        raise ValueError("impl='reference': must be 'fused' with synchronized=True")
    dtype = inputs.y_pred.dtype
    wide = tf.float64 if dtype == tf.float64 else tf.float32
    d = tf.cast(inputs.y_pred, wide)
    if options.reads_targets:
        d -= tf.cast(inputs.y_true, wide)
    valid = valid_elements(tensors, inputs)
    if valid is None:
        valid = tf.ones_like(d, tf.bool)
    loss = elementwise_loss(d, valid, inputs.options)
    return tf.cast(reduced(tensors, loss, valid, reduction), dtype)
