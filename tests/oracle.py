"""The contract in NumPy, group by group: errors in the dtype of the data, the rest in float64."""

from dataclasses import dataclass

import numpy as np

from tailops._options import TailOptions


@dataclass
class Truth:
    loss: np.ndarray
    gradient: np.ndarray
    thresholds: np.ndarray


def compute_dtype(dtype):
    return np.dtype(np.float64 if np.dtype(dtype) == np.float64 else np.float32)


def errors_of(d, kind, epsilon):
    """e(d) in d's own dtype, in the same order of operations as the contract's."""
    epsilon = d.dtype.type(epsilon)
    a = np.abs(d)
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
    if method == "floor":
        value = ordered[min(int(np.floor(n * p)), n - 1)]
        return [(value, 1.0)], value
    rank = p * (n - 1)
    below = int(np.floor(rank))
    weight = {
        "lower": 0.0,
        "higher": float(rank > below),
        "nearest": np.round(rank) - below,
        "midpoint": 0.5 if rank > below else 0.0,
        "linear": rank - below,
    }[method]
    lower, upper = ordered[below], ordered[min(below + 1, n - 1)]
    if np.isfinite([lower, upper]).all():
        # NumPy itself; q as an array, or NumPy rounds it to e's dtype.
        finite = np.minimum(e, np.finfo(e.dtype).max)
        t = np.quantile(finite, np.asarray(p, np.float64), method=method)
    else:
        t = upper if weight else lower
    return [(lower, 1.0 - weight), (upper, weight)], e.dtype.type(t)


def _group(d, e, options, upstream):
    """ℓ, gradient by d, and t of one group, flat."""
    κ, s, β = options.smoothing_factor, options.error_scale, options.beta
    if np.isnan(e).any():
        nan = np.full(len(e), np.nan)
        return nan, nan, np.nan
    parts, t = order_statistics(e, options.percentile, options.method)
    d, e = d.astype(np.float64), e.astype(np.float64)
    h = 0.5 * (1 + np.tanh(κ * (e - np.float64(t))))
    slope = 0.5 * κ / np.cosh(np.clip(κ * (e - np.float64(t)), -350, 350)) ** 2
    spike = np.where(slope < 1e-40, 0.0, s * np.where(slope < 1e-40, 0, e) * slope)
    weighted = e * (1 + s * h)
    loss = weighted if β == 0 else β * d * d + (1 - β) * weighted

    weight = 1 + s * h + (0 if options.gradient == "fixed_weight" else spike)
    by_e = upstream * (1 - β) * weight
    if options.gradient == "exact":
        by_t = -np.sum(upstream * (1 - β) * spike)
        for value, share in parts:
            ties = e == np.float64(value)
            if share:
                by_e = by_e + np.where(ties, by_t * share / ties.sum(), 0.0)
    gradient = by_e * error_derivative(d, options.error, options.epsilon)
    if β != 0:
        gradient = gradient + upstream * β * 2 * d
    return loss, gradient, t


def tail_loss(y_true, y_pred, options=None, reduction="per_sample", upstream=None):
    """Loss, gradient by y_pred, thresholds in the order of the groups."""
    options = options or TailOptions()
    wide = compute_dtype(y_pred.dtype)
    d = y_pred.astype(wide) - y_true.astype(wide)
    e = errors_of(d, options.error, options.epsilon)
    shape = d.shape
    samples = d.size // shape[-1] if d.ndim >= 2 else d.size

    out_shape = {"none": shape, "per_sample": shape[:-1] if d.ndim >= 2 else shape}.get(
        reduction, ()
    )
    upstream = np.ones(out_shape) if upstream is None else np.asarray(upstream, np.float64)
    per_element = {"none": 1.0, "per_sample": samples / d.size, "mean": 1 / d.size}.get(
        reduction, samples / d.size
    )
    g = upstream[..., None] if reduction == "per_sample" and d.ndim >= 2 else upstream
    g = np.broadcast_to(g * per_element, shape)

    loss, gradient = np.empty(shape), np.empty(shape)
    thresholds = []
    axis = options.axis
    every = slice(None)
    if axis is None:
        groups = [(every,) * d.ndim]
    else:
        axis %= d.ndim
        others = np.ndindex(*np.delete(shape, axis))
        groups = [(*index[:axis], every, *index[axis:]) for index in others]
    with np.errstate(all="ignore"):
        for group in groups:
            part = _group(d[group].ravel(), e[group].ravel(), options, g[group].ravel())
            loss[group] = part[0].reshape(d[group].shape)
            gradient[group] = part[1].reshape(d[group].shape)
            thresholds.append(part[2])
        if reduction == "per_sample":
            loss = loss.mean(axis=-1) if d.ndim >= 2 else loss
        elif reduction == "mean":
            loss = loss.mean()
        elif reduction == "sum":
            loss = loss.sum() * per_element
    return Truth(np.asarray(loss), gradient, np.array(thresholds, wide))
