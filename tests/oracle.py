"""The contract in NumPy, group by group: errors in the dtype of the data, the rest in float64."""

from dataclasses import dataclass

import numpy as np
from rank_oracle import places

from tailops._options import TailOptions


@dataclass
class Truth:
    """What is right, and what its rounding errors are relative to.

    Sums are as accurate as those of their terms' magnitudes: Σ |ℓ|; Σ |∂ℓ/∂t|; and of a gradient
    what comes through the threshold. Of errors, which are not negative, the results are as large.
    """

    loss: np.ndarray
    gradient: np.ndarray
    thresholds: np.ndarray
    loss_scale: float = 0.0
    gradient_scale: float = 0.0
    slope_scale: float = 0.0


def compute_dtype(dtype):
    return np.dtype(np.float64 if np.dtype(dtype) == np.float64 else np.float32)


def errors_of(d, kind, epsilon):
    """e(d) in d's own dtype, in the same order of operations as the contract's."""
    epsilon = d.dtype.type(epsilon)
    a = np.abs(d)
    if kind == "value":
        return d
    if kind == "absolute":
        return a
    if kind == "squared":
        return d * d
    large = np.isfinite(a) & (a > epsilon)
    q = np.where(large, epsilon / np.where(large, a, 1), np.where(a > epsilon, 1, a) / epsilon)
    q = q.astype(d.dtype)
    root = np.sqrt(1 + q * q)
    small = np.where(np.isinf(a), 0, a) * (q / (root + 1))
    return np.where(np.isinf(a), a, np.where(large, a / (root + q), small))


def error_derivative(d, kind, epsilon):
    if kind == "value":
        return np.ones_like(d)
    if kind == "absolute":
        return np.sign(d)
    if kind == "squared":
        return 2 * d
    with np.errstate(invalid="ignore"):
        slope = d / np.hypot(d, epsilon)
    return np.where(np.isinf(d), np.sign(d), slope)


def order_statistics(e, p, method):
    """[(value, ∂t/∂value)] and t, from a sort. `e` is free of NaN."""
    ordered, n = np.sort(e), len(e)
    if method == "max_fraction":
        return [(ordered[-1], p)], e.dtype.type(np.float64(ordered[-1]) * p)
    below, weight = (of_one.item() for of_one in places(method, n, p))
    lower, upper = ordered[below], ordered[min(below + 1, n - 1)]
    if method == "floor":
        return [(lower, 1.0)], lower
    if np.isfinite([lower, upper]).all():
        # NumPy itself; q as an array, or NumPy rounds it to e's dtype.
        largest = np.finfo(e.dtype).max
        t = np.quantile(np.clip(e, -largest, largest), np.asarray(p, np.float64), method=method)
    elif weight in (0.0, 1.0) or lower == upper:
        t = upper if weight else lower
    else:
        t = lower * (1.0 - weight) + upper * weight
    return [(lower, 1.0 - weight), (upper, weight)], e.dtype.type(t)


def _product_or_zero(a, b):
    """0 where a factor is, even if the other is infinite."""
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def smoothing_at(t, options):
    """κ in 1/error, of a group with this threshold, in the dtype that is computed in."""
    κ = options.smoothing_factor
    if options.smoothing_unit == "error" or κ == 0:
        return κ
    with np.errstate(all="ignore"):
        steepness = t.dtype.type(2 * κ) / np.abs(t)
    return np.inf if np.isinf(t) or np.isinf(steepness) else κ / np.abs(np.float64(t))


def _indicator(e, t, κ):
    """The indicator h and h′; ½ where e and t are the same infinity; without a κ, if not NaN."""
    distance = np.where(e == t, 0.0, e - t)
    if κ == 0:
        return np.where(np.isnan(distance), np.nan, 0.5), np.zeros(len(e))
    if np.isinf(κ):
        return 0.5 * (1 + np.sign(distance)), np.zeros(len(e))
    slope = 0.5 * κ / np.cosh(np.clip(κ * distance, -350, 350)) ** 2
    nothing = slope < 1e-40 * min(1, κ)
    return 0.5 * (1 + np.tanh(κ * distance)), np.where(nothing, 0.0, slope)


def _by_ties(e, parts, spike, upstream):
    """What reaches each element through t, or is its own spike where it is an order statistic."""
    tied = np.isin(e, [value for value, _ in parts])
    through = -np.sum(upstream[~tied] * spike[~tied])
    result = np.where(tied, 0.0, upstream * spike)
    for value, weight in parts:
        at = e == value
        g, own = upstream[at], spike[at]
        # Equal upstream gradients take off exactly what each has, however large the spike is.
        mean = g[0] if (g == g[0]).all() else g.mean()
        others = tied & ~at & np.isfinite(spike)
        shared = weight / at.sum() * (through - np.sum(upstream[others] * spike[others]))
        result[at] = _product_or_zero(own, g - weight * mean) + shared
    return result


def _through(e, parts, spike, upstream):
    """How much reaches an order statistic through t, were all of one sign; and all that does."""
    magnitudes = np.abs([_product_or_zero(spike, upstream), spike])
    total, slopes = np.sum(magnitudes, axis=1, where=np.isfinite(magnitudes))
    return max(weight / (e == value).sum() * total for value, weight in parts), slopes


def _mixture(β, a, b):
    if β == 0:
        return b
    return np.where(np.isnan(b), b, a) if β == 1 else β * a + (1 - β) * b


def _group(d, e, options, upstream):
    """ℓ, gradient by d, t, and the scales of what comes through it, of one group, flat."""
    s, β = options.error_scale, options.beta
    if np.isnan(e).any():
        nan = np.full(len(e), np.nan)
        return nan, nan, np.nan, (0.0, 0.0)
    parts, t = order_statistics(e, options.percentile, options.method)
    parts = [(value, weight) for value, weight in parts if weight]
    if parts[0][0] == parts[-1][0]:
        parts = [(parts[0][0], sum(weight for _, weight in parts))]
    d, e = d.astype(np.float64), e.astype(np.float64)
    h, slope = _indicator(e, np.float64(t), smoothing_at(t, options))
    spike = _product_or_zero((1 - β) * s, _product_or_zero(e, slope))
    loss = _mixture(β, d * d, e * (1 + s * h))

    by_e = upstream * (1 - β) * (1 + s * h)
    through = 0.0, 0.0
    if options.gradient == "fixed_threshold":
        by_e = by_e + _product_or_zero(spike, upstream)
    elif options.gradient == "exact":
        parts = [(np.float64(v), w) for v, w in parts]
        by_e = by_e + _by_ties(e, parts, spike, upstream)
        if options.error == "value":
            through = _through(e, parts, spike, upstream)
    if β == 1:
        return loss, upstream * 2 * d, t, through
    gradient = by_e * error_derivative(d, options.error, options.epsilon)
    if β != 0:
        gradient = gradient + upstream * β * 2 * d
    return loss, gradient, t, through


def valid_elements(y_true, y_pred, options, mask=None):
    """Which elements are not ignored."""
    valid = np.ones(y_pred.shape, bool) if mask is None else mask.copy()
    if options.error == "value":
        y_true = y_pred
    if options.ignore_value is not None:
        valid &= y_true != y_true.dtype.type(options.ignore_value)
    if options.ignore_nan:
        valid &= ~(np.isnan(y_true) | np.isnan(y_pred))
    return valid


def element_weights(valid, reduction):
    """What each element's loss is multiplied with; and the shape of the output."""
    shape = valid.shape
    as_samples = valid.reshape(-1, shape[-1]) if valid.ndim >= 2 else valid.reshape(-1, 1)
    of_sample = valid / np.maximum(as_samples.sum(axis=1), 1).reshape(
        (*shape[:-1], 1) if valid.ndim >= 2 else shape
    )
    if reduction == "none":
        return valid.astype(np.float64), shape
    if reduction == "per_sample":
        return of_sample, shape[:-1] if valid.ndim >= 2 else shape
    if reduction == "mean":
        return valid / max(valid.sum(), 1), ()
    return of_sample, ()


def groups_of(shape, axis):
    """Index expressions, one per group; along one axis, several, or all for None."""
    every = slice(None)
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
    others = np.ndindex(*(size for a, size in enumerate(shape) if a not in axes))
    return [
        tuple(every if a in axes else next(rest) for a in range(len(shape)))
        for rest in map(iter, others)
    ]


def tail_loss(y_true, y_pred, options=None, reduction="per_sample", upstream=None, mask=None):
    """Loss, gradient by y_pred, thresholds in the order of the groups."""
    options = options or TailOptions()
    wide = compute_dtype(y_pred.dtype)
    valid = valid_elements(y_true, y_pred, options, mask)
    d = y_pred.astype(wide)
    if options.error != "value":
        d = d - y_true.astype(wide)
    e = errors_of(d, options.error, options.epsilon)
    weights, out_shape = element_weights(valid, reduction)
    upstream = np.ones(out_shape) if upstream is None else np.asarray(upstream, np.float64)
    per_sample = reduction == "per_sample" and d.ndim >= 2
    g = np.broadcast_to(upstream[..., None] if per_sample else upstream, d.shape) * weights

    loss, gradient = np.zeros(d.shape), np.zeros(d.shape)
    thresholds, throughs = [], [(0.0, 0.0)]
    with np.errstate(all="ignore"):
        for group in groups_of(d.shape, options.axis):
            kept = valid[group]
            part = np.zeros(d[group].shape), np.zeros(d[group].shape)
            t = 0.0
            if kept.any():
                part[0][kept], part[1][kept], t, through = _group(
                    d[group][kept], e[group][kept], options, g[group][kept]
                )
                throughs.append(through)
            loss[group], gradient[group] = part
            thresholds.append(t)
        magnitudes = np.abs(loss)
        if reduction != "none":
            axes = -1 if per_sample else None
            weighted = np.where(valid, loss * weights, 0.0)
            magnitudes = np.abs(weighted)
            if reduction != "per_sample" or d.ndim >= 2:
                loss, magnitudes = weighted.sum(axis=axes), magnitudes.sum(axis=axes)
            else:
                loss = weighted
        largest = np.max(magnitudes, initial=0, where=np.isfinite(magnitudes))
    scales = largest, *np.max(throughs, axis=0)
    return Truth(np.asarray(loss), gradient, np.array(thresholds, wide), *scales)
