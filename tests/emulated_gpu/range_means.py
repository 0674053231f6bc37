"""Range means for the CUDA kernels, and what they must give: on the emulation and on a GPU."""

import math
from dataclasses import dataclass

import ml_dtypes
import numpy as np
from families import EXTREME_FAMILIES, FAMILIES, residuals
from range_oracle import range_mean

FLOATS = ("float16", "bfloat16", "float32", "float64")
# In the order of their numbers; the bounds of each are a and b; k and nothing; θ and m.
KINDS = ("between", "largest", "at_least")
STATE_COLUMNS = 5
ANY_RANGE = {"between": (0.0, 1.0), "largest": (1.0, 0.0), "at_least": (0.0, 1.0)}
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
    weights: np.ndarray | None = None

    def __str__(self):
        masked = "" if self.mask is None else f", {self.mask.sum()} valid"
        weighed = "" if self.weights is None else f", weights of {self.weights.dtype}"
        how = f"{self.kind} {self.bounds} axis={self.axis}{masked}{weighed}"
        return f"{self.values.dtype}{self.values.shape} {how}"

    @property
    def how(self):
        return {"kind": self.kind, "axis": self.axis, "mask": self.mask}

    @property
    def shape(self):
        return self.values.shape

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
        shape = list(self.values.shape)
        if self.axis is None:
            return ()
        del shape[self.axis]
        return tuple(shape)

    def garbage(self):
        """Arrays for mean and state, full of it."""
        outer, _, inner = self.sizes
        mean = np.full(self.shape_of_groups, 77, self.values.dtype)
        return mean, np.full((outer * inner, STATE_COLUMNS), -77.0)


def has_range(case, n):
    """Whether n elements have it."""
    first, second = case.bounds
    if case.kind == "between":
        return (0 <= first < second <= 1) & (n > 0)
    if case.kind == "largest":
        return (first > 0) & (first <= n) & np.isfinite(first)
    return (first == first) & (second >= 1) & (n > 0)


def expected(case):
    """Means and weights in float64; NaN where there is no such range."""
    valid = np.ones(case.values.shape, bool) if case.mask is None else case.mask
    n = valid.sum(case.axis, keepdims=True)
    has = np.broadcast_to(has_range(case, n), n.shape)
    without = (n > 0) & ~has
    bounds = case.bounds if has.any() else ANY_RANGE[case.kind]
    with np.errstate(invalid="ignore", over="ignore"):
        means, weights = range_mean(case.values, bounds, case.kind, case.axis, case.mask)
    means = np.where(without, np.nan, means.reshape(n.shape)).reshape(case.shape_of_groups)
    return means, np.where(without & valid, np.nan, weights)


def upstream_of(case):
    """What arrives at each mean: anything but 0."""
    return np.random.default_rng(0).uniform(0.5, 2, case.shape_of_groups).astype(case.values.dtype)


def check(case, forward, backward):
    """Whether mean and gradient are those of the definition.

    Args:
        case: Of what range.
        forward: A function that returns mean and state.
        backward: A function of upstream and state that returns the gradient.
    """
    tolerance = TOLERANCES[case.values.dtype.name]
    smallest = float(ml_dtypes.finfo(case.values.dtype).smallest_subnormal)
    mean, state = forward()
    means, weights = expected(case)
    terms = np.multiply(
        np.abs(weights), np.abs(case.values.astype(np.float64)),
        out=np.zeros(weights.shape), where=weights != 0,
    )  # fmt: skip
    allowed = tolerance * np.where(np.isfinite(means), terms.sum(case.axis), 0) + smallest
    found = mean.astype(np.float64)
    finite = np.isfinite(means)
    np.testing.assert_array_equal(found[~finite], means[~finite], err_msg=f"mean of {case}")
    apart = np.abs(np.where(finite, found, 0) - np.where(finite, means, 0))
    assert (apart <= allowed).all(), f"mean of {case}: {apart.max()} apart"
    upstream = upstream_of(case)
    gradient = backward(upstream, state).astype(np.float64)
    arriving = upstream if case.axis is None else np.expand_dims(upstream, case.axis)
    slope = np.where(weights == 0, 0, weights * arriving.astype(np.float64))
    np.testing.assert_allclose(
        gradient, slope, rtol=tolerance, atol=smallest, err_msg=f"gradient of {case}"
    )


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
    return Case(values, kind, random_bounds(rng, kind, n, values), axis, mask)
