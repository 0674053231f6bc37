"""Weighted selections and range means, and what they must give: from a sort, in whole numbers."""

import math
from dataclasses import replace
from fractions import Fraction

import ml_dtypes
import numpy as np
from families import FAMILIES as VALUES
from families import residuals
from oracle import groups_of
from range_means import FLOATS, TOLERANCES, upstream_of
from range_means import Case as RangeCase
from range_means import check as check_unweighted
from selections import INTEGERS, QS, Case, integers

METHODS = ("inverted_cdf", "floor")
RANGES = ((0.0, 1.0), (0.0, 0.37), (0.2, 0.8), (0.95, 1.0))


def whole(rng, shape):
    """Small ones, and nothing: their sums are exact in any order."""
    return rng.integers(0, 5, shape).astype(np.float64)


def random(rng, shape):
    return rng.random(shape)


def equal(_, shape):
    return np.full(shape, 0.3)


def few(rng, shape):
    """Most is nothing."""
    return np.where(rng.random(shape) < 0.05, 2.5, 0.0)


def wide(rng, shape):
    """From what counts for nothing to what counts for everything."""
    return np.exp(rng.normal(0, 9, shape))


FAMILIES = (whole, random, equal, few, wide)


def weighed(case, family, rng, dtype="float64"):
    """The same case with weights, of which at least one in each group is not 0."""
    weights = family(rng, case.shape)
    for group in groups_of(case.shape, case.axis):
        if not weights[group].any():
            weights[group] = 1.0
    return replace(case, weights=weights.astype(dtype))


def randomly_weighed(case, rng):
    """With weights of any kind."""
    family = FAMILIES[rng.integers(len(FAMILIES))]
    return weighed(case, family, rng, str(rng.choice(["float32", "float64"])))


def random_selection(rng, shape, dtypes=(*FLOATS, *INTEGERS)):
    """One of everything, for this shape."""
    dtype = np.dtype(str(rng.choice(dtypes)))
    axis = None if rng.random() < 0.4 else int(rng.integers(-len(shape), len(shape)))
    q = tuple(rng.choice([*QS, *rng.random(5)], int(rng.choice([1, 1, 2, 5, 17, 40]))).tolist())
    method = str(rng.choice(METHODS))
    if dtype.name in INTEGERS:
        return randomly_weighed(Case(integers(rng, shape, dtype), q, method, axis), rng)
    x = _residuals(rng, shape, dtype)
    x[rng.random(shape) < rng.choice([0.0, 0.0, 0.01, 0.3])] = -np.nan
    return randomly_weighed(Case(x, q, method, axis, bool(rng.integers(2))), rng)


def random_range(rng, shape, dtypes=FLOATS):
    values = _residuals(rng, shape, np.dtype(str(rng.choice(dtypes))))
    values[rng.random(shape) < rng.choice([0.0, 0.0, 0.0, 0.001])] = np.nan
    axis = None if rng.random() < 0.4 else int(rng.integers(-len(shape), len(shape)))
    bounds = RANGES[rng.integers(len(RANGES))]
    return randomly_weighed(RangeCase(values, "between", bounds, axis), rng)


def _residuals(rng, shape, dtype):
    family = str(rng.choice([*VALUES]))
    return residuals(family, math.prod(shape), dtype, int(rng.integers(1000))).reshape(shape)


def has_weight(case):
    """Whether each group has: otherwise the CPU's kernels refuse it."""
    counts = case.weights > 0
    if case.ignore_nan:
        counts = counts & ~np.isnan(case.x)
    return counts.any(case.axis).all()


def extremes_of(case):
    """The same case with weights of the largest possible sum, and with nearly the smallest."""
    limits = np.finfo(case.weights.dtype)
    _, most = math.frexp(float(case.weights.max()))
    _, of_count = math.frexp(case.weights.size)
    for exponent in (limits.maxexp - most - of_count, limits.minexp - limits.nmant + 4 - most):
        yield replace(case, weights=np.ldexp(case.weights, exponent))


def copies_of(weights):
    """How often each element of a group counts, and the weight of one time."""
    _, exponent = math.frexp(float(weights.max()))
    shift = min(51, 62 - (weights.size - 1).bit_length()) - exponent
    unit = Fraction(2) ** -shift
    return [round(Fraction(float(weight)) / unit) for weight in weights], unit


def counted(values, copies):
    """The different values that count, in their order, and how often each does."""
    found = {}
    for value, times in zip(values.tolist(), copies, strict=True):
        if times:
            found[value] = found.get(value, 0) + times
    return sorted(found.items())


def place_of(counts, q, method):
    """Which of them q stands for: by a quotient, or a product, that is rounded once."""
    total = sum(times for _, times in counts)
    up_to = 0
    for place, (_, times) in enumerate(counts):
        up_to += times
        if method == "inverted_cdf":
            is_enough = float(Fraction(up_to, total)) >= q
        else:
            is_enough = up_to > math.floor(float(total) * q)
        if is_enough:
            return place
    return len(counts) - 1


def as_exact(array):
    return array.astype(np.float64) if array.dtype.kind not in "iu" else array


def check_selection(case, forward):
    """Whether a value is the element that q stands for, and its state 1 by the weight of ties."""
    value, state = forward()
    value = as_exact(value).reshape(len(case.q), -1)
    state = state.reshape(-1, len(case.q), 4)
    for g, group in enumerate(groups_of(case.x.shape, case.axis)):
        x, weights = as_exact(case.x[group]).ravel(), case.weights[group].ravel()
        is_nan = x != x
        copies, unit = copies_of(np.where(is_nan, 0, weights))
        counts = counted(x, copies)
        for k, q in enumerate(case.q):
            what = f"{case}: q={q} of group {g}"
            if (is_nan.any() and not case.ignore_nan) or not counts:
                # What is ignored has no gradient; without any weight there is no telling.
                share = 0.0 if is_nan.all() and case.ignore_nan else np.nan
                expected, shares = np.nan, [share, share]
            else:
                expected, times = counts[place_of(counts, q, case.method)]
                weight = np.float64(float(times * unit))
                shares = [0.0 if case.x.dtype.kind in "iu" else 1 / weight, 0.0]
            np.testing.assert_array_equal(value[k, g], expected, err_msg=f"value of {what}")
            np.testing.assert_array_equal(
                state[g, k], [expected, expected, *shares], err_msg=f"state of {what}"
            )


def mean_and_slopes(values, weights, bounds):
    """Of a group, in float64: its mean, its gradient by each element, the largest of the values."""
    if np.isnan(values).any() or not (np.isfinite(weights) & (weights >= 0)).all():
        return np.nan, np.full(values.shape, np.nan), 0.0
    copies, unit = copies_of(weights)
    counts = counted(values, copies)
    total = sum(times for _, times in counts)
    begin, end = (Fraction(bound) * total for bound in bounds)
    slope_of, terms, up_to = {}, [], 0
    for value, times in counts:
        inside = min(up_to + times, end) - max(up_to, begin)
        if inside > 0:
            mass = Fraction(inside) / (end - begin)
            slope_of[value] = float(mass / (times * unit))
            terms.append(float(mass) * value)
        up_to += times
    slopes = [slope_of.get(value, 0.0) for value in values.tolist()]
    exact = math.fsum(terms) if np.isfinite(terms).all() else float(np.sum(terms))
    largest = max((abs(value) for value, _ in counts if math.isfinite(value)), default=0.0)
    return exact, np.array(slopes) * weights, largest


def check_range_mean(case, forward, backward):
    """Whether mean, and gradient times the weights, are those of the definition."""
    if case.weights is None:
        check_unweighted(case, forward, backward)
        return
    limits = ml_dtypes.finfo(case.values.dtype)
    smallest, most = float(limits.smallest_subnormal), float(limits.max)
    tolerance = TOLERANCES[case.values.dtype.name] / (case.bounds[1] - case.bounds[0])
    mean, state = forward()
    upstream = upstream_of(case)
    gradient = backward(upstream, state).astype(np.float64) * case.weights
    for g, group in enumerate(groups_of(case.values.shape, case.axis)):
        values = case.values[group].astype(np.float64).ravel()
        weights = case.weights[group].astype(np.float64).ravel()
        expected, slopes, largest = mean_and_slopes(values, weights, case.bounds)
        what = f"{case}, group {g}"
        found = float(mean.reshape(-1)[g])
        # Where a range ends is rounded, in parts of all the weight.
        allowed = max(tolerance, 1e-15 * weights.size)
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=allowed * largest + smallest, err_msg=f"mean of {what}"
        )
        slopes *= float(upstream.reshape(-1)[g])
        of_group = gradient[group].ravel()
        allowed = allowed * slopes.max() + smallest * weights
        # By the weight, it may be beyond the type.
        is_right = np.isnan(of_group) if np.isnan(expected) else slopes >= most * weights
        with np.errstate(invalid="ignore"):
            is_right |= np.abs(of_group - slopes) <= allowed
        assert is_right.all(), f"gradient of {what}"
