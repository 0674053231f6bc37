"""Range means in NumPy, from the contract: position by position, in float64."""

import numpy as np


def _place(fraction, n):
    """Fraction · n, which within 4 ulp of a whole number is that."""
    place = np.float64(fraction) * n
    whole = np.round(place)
    return whole if abs(place - whole) <= 4 * np.spacing(max(whole, 1.0)) else place


def masses(values, kind, bounds):
    """Of some values, all valid and no NaN among them: the mass of each."""
    n = len(values)
    if kind == "at_least":
        threshold, m = bounds
        ordered = np.sort(values)
        t = min(values.dtype.type(threshold), ordered[max(n - int(m), 0)])
        return (values >= t).astype(float)
    begin, end = (n - bounds[0], n) if kind == "largest" else (_place(b, n) for b in bounds)
    places = np.arange(n)
    of_place = np.clip(np.minimum(places + 1, end) - np.maximum(places, begin), 0, None)
    of_place = of_place[np.argsort(np.argsort(values, kind="stable"), kind="stable")]
    result = np.empty(n)
    for value in np.unique(values):
        ties = values == value
        result[ties] = of_place[ties].mean()
    return result


def _group(values, valid, kind, bounds):
    """The mean and the weights of one group, flat."""
    weights = np.zeros(values.shape)
    kept = values[valid]
    if not len(kept):
        return 0.0, weights
    if np.isnan(kept).any():
        weights[valid] = np.nan
        return np.nan, weights
    mass = masses(kept, kind, bounds)
    weights[valid] = mass / mass.sum()
    some = weights != 0
    with np.errstate(invalid="ignore"):
        return np.sum(weights[some] * values[some].astype(np.float64)), weights


def range_mean(values, kind, bounds, axis=None, mask=None):
    """The means, of the shape without the axes, and the weights, of values' shape."""
    if values.dtype.itemsize < 4:
        values = values.astype(np.float32)
    axes = tuple(range(values.ndim)) if axis is None else np.atleast_1d(axis) % values.ndim
    others = [a for a in range(values.ndim) if a not in axes]
    order = [*others, *axes]
    shape = [values.shape[a] for a in order]
    valid = np.ones(values.shape, bool) if mask is None else mask
    rows, kept = (
        x.transpose(order).reshape(int(np.prod(shape[: len(others)])), -1) for x in (values, valid)
    )
    found = [_group(*row, kind, bounds) for row in zip(rows, kept, strict=True)]
    means = np.array([mean for mean, _ in found]).reshape(shape[: len(others)])
    weights = np.array([weight for _, weight in found]).reshape(shape)
    return means, weights.transpose(np.argsort(order))
