"""Range means for the CUDA kernels, and what they must give: on the emulation and on a GPU."""

import math
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from families import EXTREME_FAMILIES, FAMILIES, residuals

from tailops import _kernels

FLOATS = ("float16", "bfloat16", "float32", "float64")
# In the order of their numbers; the bounds of each are a and b; k and nothing; θ and m.
KINDS = ("between", "largest", "at_least")
STATE_COLUMNS = 5
# Of a mean by the sizes of what is averaged, and of a weight: roundings of the type, of float32.
TOLERANCES = {"float16": 6e-4, "bfloat16": 5e-3, "float32": 2e-7, "float64": 2e-14}


@dataclass
class Case:
    """Values, and what range of them."""

    values: np.ndarray
    kind: str = "between"
    bounds: tuple[float, float] = (0.9, 1.0)
    axis: int | None = None
    mask: np.ndarray | None = None

    def __str__(self):
        masked = "" if self.mask is None else f", {self.mask.sum()} valid"
        how = f"{self.kind} {self.bounds} axis={self.axis}{masked}"
        return f"{self.values.dtype}{self.values.shape} {how}"

    @property
    def sizes(self):
        """Outer, length and inner of the groups."""
        shape = self.values.shape
        if self.axis is None:
            return 1, self.values.size, 1
        axis = self.axis % len(shape)
        return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])

    @property
    def shape_of_groups(self):
        if self.axis is None:
            return ()
        shape = list(self.values.shape)
        del shape[self.axis]
        return tuple(shape)

    @property
    def groups(self):
        outer, _, inner = self.sizes
        return outer * inner

    def garbage(self):
        """Arrays for mean and state, full of it."""
        mean = np.full(self.shape_of_groups, 77, self.values.dtype)
        return mean, np.full((self.groups, STATE_COLUMNS), -77.0)


def whole_if_nearly(place):
    """0.29 · 100 is 29."""
    whole = math.floor(place + 0.5)
    return whole if abs(place - whole) <= 4 * np.finfo(float).eps * whole else place


def positions(kind, bounds, n):
    """Where the range of n elements begins and ends, or None."""
    first, second = bounds
    if kind == "largest":
        return (n - first, n) if 0 < first <= n else None
    if not 0 <= first < second <= 1:
        return None
    begin, end = whole_if_nearly(first * n), whole_if_nearly(second * n)
    if begin < end:
        return begin, end
    only = min(math.floor(begin), n - 1)
    return only, only + 1


def masses(kind, bounds, ascending):
    """Of each of some sorted numbers, all together 1; None where there is no such range."""
    n = len(ascending)
    if kind == "at_least":
        threshold, least = bounds
        if not (least >= 1 and threshold == threshold):
            return None
        rank = max(0, n - math.ceil(min(least, n)))
        mass = (ascending >= min(threshold, ascending[rank])).astype(float)
        return mass / mass.sum()
    places = positions(kind, bounds, n)
    if places is None:
        return None
    begin, end = places
    low = np.arange(n, dtype=float)
    mass = np.clip(np.minimum(low + 1, end) - np.maximum(low, begin), 0, None)
    _, which, ties = np.unique(ascending, return_inverse=True, return_counts=True)
    return (np.bincount(which, mass) / ties)[which] / (end - begin)


def of_group(kind, bounds, values):
    """The mean, the weights, and the size of what is averaged; of the valid values of a group."""
    if len(values) == 0:
        return 0.0, values, 0.0
    order = np.argsort(values, kind="stable")
    mass = None if np.isnan(values).any() else masses(kind, bounds, values[order])
    if mass is None:
        return math.nan, np.full(len(values), math.nan), 0.0
    kept = mass != 0
    terms = mass[kept] * values[order][kept]
    weights = np.empty(len(values))
    weights[order] = mass
    mean = math.fsum(terms) if np.isfinite(terms).all() else float(terms.sum())
    return mean, weights, np.abs(terms).sum()


def oracle(case):
    """Means and weights in float64, and the sizes of what is averaged."""
    outer, length, inner = case.sizes
    rows = case.values.reshape(outer, length, inner).astype(np.float64)
    valid = np.ones(rows.shape, bool) if case.mask is None else case.mask.reshape(rows.shape)
    means, sizes = np.empty((outer, inner)), np.empty((outer, inner))
    weights = np.zeros(rows.shape)
    with np.errstate(invalid="ignore"):
        for o in range(outer):
            for i in range(inner):
                of = valid[o, :, i]
                found = of_group(case.kind, case.bounds, rows[o, of, i])
                means[o, i], weights[o, of, i], sizes[o, i] = found
    shape = case.shape_of_groups
    return means.reshape(shape), weights.reshape(case.values.shape), sizes.reshape(shape)


def upstream_of(case):
    """What arrives at each mean: anything but 0."""
    return np.random.default_rng(0).uniform(0.5, 2, case.shape_of_groups).astype(case.values.dtype)


def check(case, forward, backward=None):
    """Whether mean and gradient are those of the definition.

    Args:
        case: Of what range.
        forward: A function that returns mean and state.
        backward: A function of upstream and state that returns the gradient.
    """
    tolerance = TOLERANCES[case.values.dtype.name]
    mean, state = forward()
    means, weights, sizes = oracle(case)
    finite = np.isfinite(means)
    found = mean.astype(np.float64)
    np.testing.assert_array_equal(found[~finite], means[~finite], err_msg=f"mean of {case}")
    apart = np.abs(np.where(finite, found, 0) - np.where(finite, means, 0))
    smallest = float(ml_dtypes.finfo(case.values.dtype).smallest_subnormal)
    assert (apart <= tolerance * sizes + smallest).all(), f"mean of {case}: {apart.max()} apart"
    if backward is None:
        return
    upstream = upstream_of(case)
    gradient = backward(upstream, state).astype(np.float64)
    axis = case.axis
    arriving = upstream if axis is None else np.expand_dims(upstream, axis % case.values.ndim)
    expected = np.where(weights == 0, 0, weights * arriving.astype(np.float64))
    np.testing.assert_allclose(
        gradient, expected, rtol=tolerance, atol=smallest, err_msg=f"gradient of {case}"
    )
    np.testing.assert_array_equal(gradient == 0, expected == 0, err_msg=f"zeros of {case}")


def random_bounds(rng, kind, n, values):
    """Of any range that n elements may have."""
    if kind == "largest":
        return float(rng.choice([1, n, rng.uniform(0, n), rng.integers(1, n + 1)])), 0.0
    if kind == "at_least":
        wide = values.astype(np.float64).ravel()
        finite = wide[np.isfinite(wide)]
        some = [*finite[:1], *rng.choice(finite, 1), 0.1] if finite.size else [0.1]
        threshold = rng.choice([np.inf, -np.inf, -0.0, *some])
        return float(threshold), float(rng.choice([1, 2, 2.5, n, 3 * n, rng.integers(1, n + 1)]))
    a, b = sorted(rng.choice([0, 1, 0.29, 0.5, 0.95, 0.99, *rng.random(2)], 2, replace=False))
    return float(a), float(b)


def random_case(rng, shape, dtypes=FLOATS):
    """One of everything, for this shape; sums of float64 stay in its range."""
    dtype = np.dtype(str(rng.choice(dtypes)))
    axis = None if rng.random() < 0.4 else int(rng.integers(-len(shape), len(shape)))
    extreme = [] if dtype == np.float64 else EXTREME_FAMILIES
    family = str(rng.choice([*FAMILIES, *extreme]))
    values = residuals(family, math.prod(shape), dtype, int(rng.integers(1000))).reshape(shape)
    values[rng.random(shape) < rng.choice([0.0, 0.0, 0.1])] = rng.choice([np.inf, -np.inf])
    values[rng.random(shape) < rng.choice([0.0, 0.0, 0.0, 0.001, 0.3])] = -np.nan
    mask = None
    if rng.random() < 0.5:
        mask = rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        if rng.random() < 0.5:
            mask &= ~np.isnan(values)
    kind = str(rng.choice(KINDS))
    n = math.prod(shape) if axis is None else shape[axis]
    bounds = random_bounds(rng, kind, n, values)
    return Case(values, kind, bounds, axis, mask)


def geometry_of(case):
    """As the kernels take it."""
    options = _kernels.SelectionOptions("rank", False, case.axis)
    return _kernels.SelectionGeometry(list(case.values.shape), options)
