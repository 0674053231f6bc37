"""The contract of range means in float64 NumPy, group by group, from a sort."""

import math

import numpy as np
from oracle import compute_dtype, groups_of


def _place(fraction, n):
    """What fraction · n is, a whole number where float64 has it within 4 ulp of one."""
    place = fraction * n
    whole = np.floor(place + 0.5)
    return whole if abs(place - whole) <= 4 * np.finfo(np.float64).eps * whole else place


def _range(kind, bounds, n):
    if kind == "largest":
        return n - bounds[0], float(n)
    begin, end = (_place(fraction, n) for fraction in bounds)
    if begin < end:
        return begin, end
    first = min(np.floor(begin), n - 1.0)
    return first, first + 1.0


def _masses(values, kind, bounds):
    """Of each of the values, which are numbers; what is to be divided by their sum."""
    n = len(values)
    if kind == "at_least":
        least = max(n - int(min(np.ceil(bounds[1]), n)), 0)
        threshold = min(values.dtype.type(bounds[0]), np.sort(values)[least])
        return (values >= threshold).astype(np.float64)
    begin, end = _range(kind, bounds, n)
    position = np.arange(n, dtype=np.float64)
    of_position = np.maximum(np.minimum(position + 1, end) - np.maximum(position, begin), 0.0)
    _, which, ties = np.unique(np.sort(values), return_inverse=True, return_counts=True)
    shared = np.bincount(which, of_position) / ties
    order = np.argsort(values, kind="stable")
    masses = np.empty(n)
    masses[order] = shared[which]
    return masses


def _mean(values, weights):
    """Without what a sum of many rounds, or overflows."""
    has = weights != 0
    values, weights = values[has].astype(np.float64), weights[has]
    if not np.isfinite(values).all():
        infinite = np.unique(values[~np.isfinite(values)])
        return float(infinite[0]) if infinite.size == 1 else math.nan
    scale = 2.0**200 if np.abs(values).max() < 1e-200 else 1.0  # no product is subnormal
    return math.fsum(weights * (values * scale)) / scale


def range_mean(values, bounds, kind, axis=None, mask=None):
    """Means of the groups in float64, in their order, and the weights of the elements."""
    wide = values.astype(compute_dtype(values.dtype))
    valid = np.ones(values.shape, bool) if mask is None else mask
    weights = np.zeros(values.shape)
    means = []
    for group in groups_of(values.shape, axis):
        kept = valid[group]
        of_group = wide[group][kept]
        if of_group.size == 0:
            means.append(0.0)
            continue
        part = np.zeros(kept.shape)
        if np.isnan(of_group).any():
            part[kept] = np.nan
            means.append(np.nan)
        else:
            masses = _masses(of_group, kind, bounds)
            part[kept] = masses / masses.sum()
            means.append(_mean(of_group, part[kept]))
        weights[group] = part
    return np.array(means), weights
