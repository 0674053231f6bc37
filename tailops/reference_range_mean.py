"""Range means in plain TensorFlow ops: sorted, and made to be read.

This is the definition that the native op is tested against, what `impl="reference"` of the
functions in `tailops.ops` runs, and what runs inside XLA where the build has no kernels for it.
Positions and masses are in float64, for any number of elements.
"""

from typing import NamedTuple

import tensorflow as tf

__all__ = ["range_mean", "range_weights"]


class _Groups(NamedTuple):
    """Values, one group per row of the last axis."""

    values: tf.Tensor
    valid: tf.Tensor
    counts: tf.Tensor
    """How often each counts, float64: of what is not valid, 0."""
    n: tf.Tensor
    """How often all count together, (…, 1)."""


def _wide(values: tf.Tensor) -> tf.Tensor:
    return tf.cast(values, tf.float32) if values.dtype.size < 4 else values


def _groups(
    values: tf.Tensor, axis: int | None, mask: tf.Tensor | None, weights: tf.Tensor | None = None
) -> _Groups:
    valid = tf.ones_like(values, tf.bool) if mask is None else mask
    counts = tf.cast(valid if weights is None else weights, tf.float64)
    counts = tf.where(valid, counts, tf.zeros_like(counts))
    given = values, valid, counts
    if axis is None:
        values, valid, counts = (tf.reshape(x, [-1]) for x in given)
    else:
        values, valid, counts = (tf.experimental.numpy.moveaxis(x, axis, -1) for x in given)
    n = tf.reduce_sum(counts, -1, keepdims=True)
    return _Groups(_wide(values), valid, counts, n)


def _whole_if_nearly(place: tf.Tensor) -> tf.Tensor:
    """0.29 · 100 is 28.999999999999996: position 28 would have a trace of mass."""
    whole = tf.floor(place + 0.5)
    return tf.where(tf.abs(place - whole) <= 4 * 2.0**-52 * whole, whole, place)


def _positions(kind: str, bounds: tf.Tensor, n: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The range [A, B] of every group's positions, 0 ≤ A < B ≤ n."""
    if kind == "largest":
        return n - bounds[0], n
    begin, end = _whole_if_nearly(bounds[0] * n), _whole_if_nearly(bounds[1] * n)
    # Too narrow for its number of elements: the element that it is in.
    first = tf.minimum(tf.floor(begin), n - 1)
    empty = begin >= end
    return tf.where(empty, first, begin), tf.where(empty, first + 1, end)


def _element(ascending: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    return tf.gather(ascending, tf.cast(rank, tf.int64), batch_dims=rank.shape.rank - 1)


def _between(ordered: tf.Tensor, groups: _Groups, begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """The mass of each element, by that of the range. Only two values can have a part of theirs."""
    values, valid, counts, _ = groups
    order = tf.argsort(ordered, axis=-1, stable=True)
    ascending, until = (tf.gather(a, order, batch_dims=a.shape.rank - 1) for a in (ordered, counts))
    until = tf.cumsum(until, axis=-1)
    last = tf.cast(tf.shape(until)[-1] - 1, tf.float64)

    def at(before: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The first element behind these; those equal to it; the mass of one by its count."""
        rank = tf.reduce_sum(tf.cast(before, tf.float64), -1, keepdims=True)
        element = _element(ascending, tf.minimum(rank, last))
        ties = valid & (values == element)
        below = tf.reduce_sum(tf.where(values < element, counts, 0), -1, keepdims=True)
        count = tf.reduce_sum(tf.where(ties, counts, 0), -1, keepdims=True)
        mass = tf.maximum(tf.minimum(below + count, end) - tf.maximum(below, begin), 0)
        return element, ties, tf.math.divide_no_nan(mass, count)

    lower, at_lower, of_lower = at(until <= begin)
    upper, at_upper, of_upper = at(until < end)
    inside = tf.cast(valid & (values > lower) & (values < upper), tf.float64)
    of_one = tf.where(at_lower, of_lower, tf.where(at_upper, of_upper, inside))
    return of_one * counts / (end - begin)


def _at_least(ascending: tf.Tensor, groups: _Groups, bounds: tf.Tensor) -> tf.Tensor:
    """One share for each element that is kept: v ≥ min(θ, the m-th largest)."""
    values, valid, _, n = groups
    rank = tf.clip_by_value(n - tf.math.ceil(bounds[1]), 0, tf.maximum(n - 1, 0))
    of_rank = _element(ascending, rank)
    kept = valid & (values >= tf.minimum(tf.cast(bounds[0], values.dtype), of_rank))
    count = tf.reduce_sum(tf.cast(kept, tf.float64), -1, keepdims=True)
    return tf.math.divide_no_nan(tf.cast(kept, tf.float64), count)


def _is_range(kind: str, bounds: tf.Tensor, n: tf.Tensor) -> tf.Tensor:
    """Of every group, whether there are such positions; False for NaN."""
    first, second = bounds[0], bounds[1]
    if kind == "between":
        return (first >= 0) & (first < second) & (second <= 1) & (n >= 0)
    if kind == "largest":
        return (first > 0) & tf.math.is_finite(first) & ((first <= n) | (n == 0))
    return tf.equal(first, first) & (second >= 1) & (n >= 0)


def _message(kind: str) -> str:
    return {
        "between": "lower, upper: must be 0 <= lower < upper <= 1",
        "largest": "k: must be above 0, and at most the number of valid values of every group",
        "at_least": "threshold, min_kept: must be a number, and at least 1",
    }[kind]


def _weights(values: tf.Tensor, groups: _Groups, kind: str, bounds: tf.Tensor) -> tf.Tensor:
    """In float64, of the groups' shape, without a gradient."""
    if values.shape.num_elements() == 0 and groups.values.shape[-1] == 0:
        raise ValueError(
            f"values of shape {tuple(values.shape)}: there must be at least one in every group"
        )
    groups = groups._replace(values=tf.stop_gradient(groups.values))
    nan = tf.reduce_any(groups.valid & tf.math.is_nan(groups.values), -1, keepdims=True)
    good = _is_range(kind, bounds, groups.n)
    # XLA leaves this out; there, the group's result is NaN.
    counts = groups.counts
    weighed = tf.reduce_all((counts >= 0) & tf.math.is_finite(counts), -1, keepdims=True)
    checks = [
        tf.debugging.Assert(tf.reduce_all(good), [_message(kind), bounds]),
        tf.debugging.Assert(tf.reduce_all(weighed), ["weights: must be finite and at least 0"]),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        n, bounds = tf.identity(groups.n), tf.identity(bounds)
    groups, good = groups._replace(n=n), good & weighed
    nothing = nan | ~good | (n == 0)
    # What is ignored sorts behind all that counts.
    ordered = tf.where(groups.valid & ~nothing, groups.values, float("inf"))
    if kind == "at_least":
        weights = _at_least(tf.sort(ordered, axis=-1), groups, bounds)
    else:
        begin, end = _positions(kind, bounds, n)
        weights = _between(ordered, groups, begin, end)
    weights = tf.where(groups.valid & ~nothing, weights, tf.zeros_like(weights))
    bad = groups.valid & (nan | ~good)
    return tf.stop_gradient(tf.where(bad, tf.constant(float("nan"), tf.float64), weights))


def range_mean(
    values: tf.Tensor,
    bounds: tf.Tensor,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """The mean of each group's values between two positions of their order: Σ weight·value.

    Args:
        values: Floating, of known rank.
        bounds: Two numbers, float64. For "between" the fractions a < b of the elements where the
            range begins and ends; for "largest" k, which need not be whole, and anything; for
            "at_least" the threshold θ and m, of which the m-th largest value, or θ where that is
            smaller, is what kept elements are at least.
        kind: "between", "largest" or "at_least".
        axis: Along which the groups are; None: all elements are one.
        mask: True where an element counts; None: all do.
        weights: How often each element counts, for "between": positions are then those of as many
            elements. None: once.

    Returns:
        Of values' dtype and shape without the axis; 0 for a group of which all is ignored, NaN for
        one with a valid NaN. There is no gradient by the bounds.

    Raises:
        ValueError: There is a group without elements.
        tf.errors.InvalidArgumentError: There is no such range. Inside XLA the group is NaN.

    Example:
        >>> values = tf.constant([1.0, 2.0, 3.0, 4.0])
        >>> bounds = tf.constant([0.7, 1.0], tf.float64)
        >>> round(float(range_mean(values, bounds, "between", None)), 4)  # (0.2 · 3 + 4) / 1.2
        3.8333
    """
    groups = _groups(values, axis, mask, weights)
    shares = _weights(values, groups, kind, bounds)
    part = shares * tf.cast(groups.values, tf.float64)
    # An infinite value without a weight is no part of it.
    part = tf.where(shares != 0, part, tf.zeros_like(part))
    return tf.cast(tf.reduce_sum(part, -1), values.dtype)


def range_weights(
    values: tf.Tensor,
    bounds: tf.Tensor,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The weight of each element in its group's `range_mean`, which is the gradient of that.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.

    Returns:
        Of values' shape and dtype. Those of a group add up to 1, or are all 0 where all is ignored;
        NaN for the valid elements of a group with a valid NaN.

    Raises:
        ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> values, bounds = tf.constant([5.0, 2.0, 2.0, 1.0]), tf.constant([2.0, 0.0], tf.float64)
        >>> range_weights(values, bounds, "largest", None).numpy().tolist()
        [0.5, 0.25, 0.25, 0.0]
    """
    weights = _weights(values, _groups(values, axis, mask), kind, bounds)
    if axis is None:
        weights = tf.reshape(weights, tf.shape(values))
    else:
        weights = tf.experimental.numpy.moveaxis(weights, -1, axis)
    return tf.cast(tf.ensure_shape(weights, values.shape), values.dtype)
