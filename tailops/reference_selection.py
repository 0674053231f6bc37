"""Selection in plain TensorFlow ops: sorted, differentiated by TensorFlow, made to be read.

This is the definition that the native op is tested against, and what runs inside XLA where the
build has no kernels for it.
"""

from typing import Any

import tensorflow as tf

from tailops import _kernels
from tailops._options import RANK_RULES
from tailops.reference import RANKS, interpolate

__all__ = ["select"]


def _axis_last(x: tf.Tensor, axis: int | None) -> tf.Tensor:
    if axis is None:
        return tf.reshape(x, [-1])
    rank = x.shape.rank
    return tf.transpose(x, [*(i for i in range(rank) if i != axis % rank), axis % rank])


def _ranks(q: tf.Tensor, n: tf.Tensor, method: str) -> tf.Tensor:
    if method == "rank":
        return tf.minimum(q, n - 1)
    if method == "rank_from_top":
        return tf.maximum(n - 1 - q, 0)
    return RANKS[method](n, q)


def _in_range(q: tf.Tensor, length: tf.Tensor, method: str) -> tf.Tensor:
    by_rank = method in ("rank", "rank_from_top")
    return (q >= 0) & (q < tf.cast(length, q.dtype) if by_rank else q <= 1)


def _require_method_of_integers(dtype: str, method: str) -> None:
    interpolating = _kernels.INTERPOLATING_METHODS
    if method in interpolating:
        discrete = [name for name in RANK_RULES if name not in interpolating]
        allowed = [*discrete, "rank", "rank_from_top"]
        raise ValueError(
            f"method={method!r} of {dtype}: interpolates, so of integers it must be one of "
            + ", ".join(map(repr, allowed))
        )


def _elements(x: tf.Tensor, valid: tf.Tensor, rank: tf.Tensor) -> tf.Tensor:
    """Of x's last axis, whose gradient is split equally over the valid elements equal to each."""
    ascending = tf.sort(x, axis=-1)
    value = tf.gather(ascending, tf.cast(rank, tf.int64), batch_dims=rank.shape.rank - 1)
    if not x.dtype.is_floating:
        return value
    value = tf.stop_gradient(value)[..., None]
    each, valid, inf = tf.expand_dims(x, -2), tf.expand_dims(valid, -2), float("inf")
    # The fill is no element that counts, as long as the value is not the fill.
    as_largest = tf.reduce_max(tf.where(valid & (each <= value), each, -inf), -1)
    as_smallest = tf.reduce_min(tf.where(valid & (each >= value), each, inf), -1)
    return tf.where(value[..., 0] == -inf, as_smallest, as_largest)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _split_by(value: tf.Tensor, x: tf.Tensor, shares: tf.Tensor) -> Any:
    """The value, whose gradient goes to x by these shares: (…, k), (…, n), (…, k, n)."""
    del x  # only its gradient is asked for

    def gradient(upstream: tf.Tensor) -> tuple[None, tf.Tensor, None]:
        return None, tf.reduce_sum(upstream[..., None] * shares, -2), None

    return tf.identity(value), gradient


def _weighted_elements(
    x: tf.Tensor, valid: tf.Tensor, weights: tf.Tensor, q: tf.Tensor, method: str
) -> tf.Tensor:
    """Of x's last axis, the first up to which the weights are enough of all of them."""
    weights = tf.where(valid, tf.cast(weights, tf.float64), 0)
    order = tf.argsort(x, axis=-1, stable=True)
    rank = x.shape.rank - 1
    ascending, counts = (tf.gather(a, order, batch_dims=rank) for a in (x, weights))
    until = tf.cumsum(counts, axis=-1)[..., None, :]
    total = until[..., -1:]
    q = q[:, None]
    reached = until > q * total if method == "floor" else until / total >= q
    # Nothing is reached by what counts for nothing; and the last that counts in any case.
    reached = (reached & (until > 0)) | (until >= total)
    place = tf.argmax(tf.cast(reached, tf.int8), -1)
    value = tf.gather(ascending, place, batch_dims=rank)
    if not x.dtype.is_floating:
        return value
    tied = tf.where(x[..., None, :] == value[..., None], weights[..., None, :], 0)
    shares = tf.math.divide_no_nan(tied, tf.reduce_sum(tied, -1, keepdims=True))
    return _split_by(tf.stop_gradient(value), x, tf.cast(shares, x.dtype))


def _nan_of_all(x: tf.Tensor, where: tf.Tensor) -> tf.Tensor:
    """NaN with a gradient of NaN for the whole group, for groups that have one of these."""
    nan, one = tf.constant(float("nan"), x.dtype), tf.constant(1, x.dtype)
    factor = tf.where(tf.reduce_any(where, -1, keepdims=True), nan, one)
    return tf.reduce_sum(x * factor, -1, keepdims=True)


def select(
    x: tf.Tensor,
    q: tf.Tensor,
    *,
    method: str,
    axis: int | None,
    ignore_nan: bool = False,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """Quantiles of x, or its elements of rank q.

    Args:
        x: Real numbers, of known rank.
        q: A scalar or a vector of float64. One that is out of range makes NaN; of integers, the
            nearest in range is taken.
        method: One of `_options.RANK_RULES`, "rank" or "rank_from_top".
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out; otherwise it is the result where there is one.
        weights: Of x's shape, how much each element counts, with the methods "inverted_cdf" and
            "floor"; None: each counts once. Where all of a group are 0, or one is negative or not
            finite, the result is NaN, of integers any of them.

    Returns:
        Of x's dtype, q's shape before that of x without the axis. Subnormal numbers may be taken
        for zero, as TensorFlow's threads do.

    Raises:
        ValueError: There is nothing to select from, or the method interpolates integers.

    Example:
        >>> x, q = tf.constant([4.0, 1.0, 2.0]), tf.constant([0.5, 0.75], tf.float64)
        >>> select(x, q, method="linear", axis=None).numpy().tolist()
        [2.0, 3.0]
    """
    if q.shape.rank == 0:
        vector = tf.reshape(q, [1])
        value = select(x, vector, method=method, axis=axis, ignore_nan=ignore_nan, weights=weights)
        return tf.squeeze(value, 0)
    given = x.dtype
    shape = tuple(x.shape)
    if x.dtype.is_integer:
        _require_method_of_integers(x.dtype.name, method)
    if given in (tf.float16, tf.bfloat16):
        x = tf.cast(x, tf.float32)
    x, weights = (None if a is None else _axis_last(a, axis) for a in (x, weights))
    if x.shape[-1] == 0 and 0 not in x.shape[:-1]:
        raise ValueError(
            f"input of shape {shape}: there must be at least one element to select from"
        )
    nan = tf.math.is_nan(x) if x.dtype.is_floating else tf.zeros_like(x, tf.bool)
    valid = ~tf.logical_and(nan, ignore_nan)
    n = tf.reduce_sum(tf.cast(valid, tf.float64), -1, keepdims=True)
    last = tf.maximum(n - 1, 0)
    possible = tf.where(tf.math.is_nan(q), tf.zeros_like(q), q)
    # What is left out sorts behind all that may be selected.
    ordered = x if not x.dtype.is_floating else tf.where(valid, x, float("inf"))
    bad = ~_in_range(q, tf.shape(x)[-1], method)
    if weights is not None:
        value = _weighted_elements(ordered, valid, weights, possible, method)
        good = tf.reduce_all((weights >= 0) & tf.math.is_finite(weights), -1, keepdims=True)
        counts = tf.where(valid, weights, tf.zeros_like(weights))
        bad = bad | ~good | ((tf.reduce_max(counts, -1, keepdims=True) == 0) & (n > 0))
    else:
        rank = tf.clip_by_value(_ranks(possible, n, method), 0, last)
        below = tf.floor(rank)
        value = _elements(ordered, valid, below)
        if x.dtype.is_floating:
            upper = _elements(ordered, valid, tf.minimum(below + 1, last))
            value = interpolate(value, upper, tf.stop_gradient(rank - below))
    if x.dtype.is_floating:
        value = tf.where(n == 0, tf.constant(float("nan"), x.dtype), value)
        if not ignore_nan:
            bad = tf.reduce_any(nan, -1, keepdims=True) | bad
        value = tf.where(bad, _nan_of_all(x, bad), value)
    rank_of_value = value.shape.rank
    value = tf.transpose(value, [rank_of_value - 1, *range(rank_of_value - 1)])
    return tf.cast(value, given)
