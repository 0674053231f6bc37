"""The CUDA kernels of weighted selections and range means, run on the host."""

from dataclasses import replace

import emulation
import numpy as np
import pytest
from emulated_range_means import EmulatedRangeMeans
from emulated_selection import EmulatedSelection
from emulated_shapes import PATHS, random_shape
from emulation import LIMITS_OF_A_LARGE_GPU, Limits, random_limits
from families import residuals
from range_means import Case as RangeCase
from range_means import upstream_of
from selections import FLOATS, INTEGERS, QS, Case, check, integers
from weighted import (
    FAMILIES,
    METHODS,
    RANGES,
    check_range_mean,
    check_selection,
    extremes_of,
    few,
    has_weight,
    random,
    random_range,
    random_selection,
    weighed,
    whole,
    wide,
)

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")

BAD = (-1.0, np.nan, np.inf, -np.inf)


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    both = EmulatedSelection, EmulatedRangeMeans
    return {of: of.compile(tmp_path_factory.mktemp("weighted")) for of in both}


@pytest.fixture
def selection(libraries):
    emulated = EmulatedSelection(libraries[EmulatedSelection])
    emulated.limits = PATHS["digits"]
    return emulated


@pytest.fixture
def ranges(libraries):
    emulated = EmulatedRangeMeans(libraries[EmulatedRangeMeans])
    emulated.limits = PATHS["digits"]
    return emulated


def check_selected(emulated, case, *, seed=0, offset=0, on_device=False):
    emulated.seed = seed

    def forward():
        return emulated.forward(case, offset=offset, q_on_device=on_device)

    check_selection(case, forward)
    if has_weight(case):
        is_float = case.x.dtype.name in FLOATS
        check(case, forward, (lambda *of: emulated.backward(case, *of)) if is_float else None)


def check_averaged(emulated, case, *, seed=0, offset=0, on_device=False):
    emulated.seed = seed
    check_range_mean(
        case,
        lambda: emulated.forward(case, offset=offset, on_device=on_device),
        lambda *of: emulated.backward(case, *of, offset=offset),
    )


@pytest.mark.parametrize("part", range(6))
def test_random_selections(selection, part):
    for seed in range(part * 40, part * 40 + 40):
        rng = np.random.default_rng(seed)
        selection.limits = random_limits(rng)
        case = random_selection(rng, random_shape(rng, 2500))
        on_device = bool(rng.integers(2))
        check_selected(selection, case, seed=seed, offset=int(rng.integers(4)), on_device=on_device)


@pytest.mark.parametrize("part", range(6))
def test_random_range_means(ranges, part):
    for seed in range(part * 40, part * 40 + 40):
        rng = np.random.default_rng(seed)
        ranges.limits = random_limits(rng)
        case = random_range(rng, random_shape(rng, 2500))
        on_device = bool(rng.integers(2))
        check_averaged(ranges, case, seed=seed, offset=int(rng.integers(4)), on_device=on_device)


def test_numpy_selects_the_same(selection):
    """Of weights whose sums are exact."""
    rng = np.random.default_rng(0)
    for shape, axis in (((700,), None), ((7, 60, 3), 1), ((90, 5), 0), ((4, 50), -1)):
        x = residuals("few_values", int(np.prod(shape)), "float64").reshape(shape)
        case = weighed(Case(x, QS, "inverted_cdf", axis), whole, rng)
        expected = np.quantile(x, QS, axis=axis, weights=case.weights, method="inverted_cdf")
        np.testing.assert_array_equal(selection.forward(case).value, expected)


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64"])
def test_weights_of_1_are_none(selection, ranges, dtype):
    rng = np.random.default_rng(0)
    for n in (1, 2, 33, 700):
        x = integers(rng, (n,), dtype) if dtype == "int8" else residuals("few_values", n, dtype)
        # Sums of such weights, divided by all of them, are NumPy's of weights and not its ranks.
        case = Case(x, (0.0, 0.25, 0.5, 0.9, 1.0), "floor")
        ones = replace(case, weights=np.ones(n, np.float32))
        for found, expected in zip(selection.forward(ones), selection.forward(case), strict=True):
            np.testing.assert_array_equal(found, expected)
        if dtype == "int8":
            continue
        of = RangeCase(x, "between", (0.25, 0.5))
        found = ranges.forward(replace(of, weights=np.ones(n)))
        for one, expected in zip(found, ranges.forward(of), strict=True):
            np.testing.assert_allclose(
                one.astype(np.float64), expected.astype(np.float64), rtol=2e-3
            )


@pytest.mark.parametrize("family", FAMILIES)
def test_every_small_size(selection, ranges, family):
    rng = np.random.default_rng(0)
    for n in range(1, 71):
        values = residuals("few_values" if n % 2 else "random", n, FLOATS[n % 4])
        dtype = ("float32", "float64")[n % 3 == 0]
        for method in METHODS:
            case = weighed(Case(values, (0.0, 0.4, 0.9, 1.0), method), family, rng, dtype)
            check_selected(selection, case, seed=n)
        bounds = RANGES[n % len(RANGES)]
        check_averaged(ranges, weighed(RangeCase(values, "between", bounds), family, rng, dtype))


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64"])
def test_around_the_boundaries(selection, ranges, dtype):
    """A vector, a warp's and a block's share of them; what is a block's without weights."""
    rng = np.random.default_rng(0)
    lanes = 16 // np.dtype(dtype).itemsize
    selection.limits = ranges.limits = Limits()
    for border in (lanes, 2 * lanes, 32 * lanes, 64 * lanes, Limits().block_elements):
        for n in (border - 1, border, border + 1):
            if dtype == "int8":
                case = Case(integers(rng, (n,), dtype), QS, "inverted_cdf")
            else:
                case = Case(residuals("tied_at_the_top", n, dtype), QS, "inverted_cdf")
                of_range = RangeCase(case.x, "between", (0.2, 0.9))
                check_averaged(ranges, weighed(of_range, random, rng), seed=n, offset=n % 3)
            check_selected(selection, weighed(case, random, rng), seed=n, offset=n % 3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_axes(selection, ranges, dtype):
    """Many groups, more than are in flight; strided, and side by side."""
    rng = np.random.default_rng(0)
    values = residuals("few_values", 6 * 41 * 5, dtype).reshape(6, 41, 5)
    for axis in (None, 0, 1, 2):
        for wide_weights in ("float32", "float64"):
            case = Case(values, (0.3, 0.5, 0.97), "inverted_cdf", axis)
            check_selected(selection, weighed(case, random, rng, wide_weights))
            of_range = RangeCase(values, "between", (0.3, 0.6), axis)
            check_averaged(ranges, weighed(of_range, few, rng, wide_weights))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 16, 17, 32, 33, 101])
def test_many_quantiles(selection, count):
    rng = np.random.default_rng(count)
    for dtype in ("float32", "float64", "float16", "uint64"):
        x = integers(rng, (400,), dtype) if dtype == "uint64" else residuals("random", 400, dtype)
        case = Case(x, tuple(rng.random(count)), METHODS[count % 2])
        check_selected(selection, weighed(case, random, rng), on_device=bool(rng.integers(2)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", [random, wide])
def test_the_largest_and_the_smallest_weights(selection, ranges, family, dtype):
    rng = np.random.default_rng(0)
    x = residuals("few_values", 500, "float64")
    for case in extremes_of(weighed(Case(x, QS, "inverted_cdf"), family, rng, dtype)):
        check_selected(selection, case)
        of_range = RangeCase(x, "between", (0.2, 0.8))
        ordinary = replace(of_range, weights=np.ldexp(case.weights.astype(np.float64), 0))
        mean = ranges.forward(replace(of_range, weights=case.weights))[0]
        assert np.isfinite(mean)
        np.testing.assert_array_equal(mean, ranges.forward(ordinary)[0])


@pytest.mark.parametrize("ignore_nan", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
def test_nan(selection, dtype, ignore_nan):
    """A NaN of any weight is its group's, unless it is ignored: then so is its weight."""
    rng = np.random.default_rng(0)
    for n in (1, 8, 40, 900):
        for share in (0.1, 0.9, 1.0):
            x = residuals("random", n, dtype)
            x[rng.random(n) < share] = np.nan
            x[0] = -np.nan
            case = weighed(Case(x, QS, "inverted_cdf", None, ignore_nan), random, rng)
            check_selected(selection, case)
            for weights in (np.arange(n) != 0, np.isnan(x)):
                check_selected(selection, replace(case, weights=weights.astype(np.float64)))
            for of_nan in (*BAD, 1e300):
                other = replace(case, weights=np.where(np.isnan(x), of_nan, case.weights))
                found, expected = selection.forward(other), selection.forward(case)
                assert found.value.tobytes() == expected.value.tobytes()
                np.testing.assert_array_equal(found.state, expected.state)
            twice = Case(np.stack([x, np.zeros_like(x)]), QS, "floor", 1, ignore_nan)
            check_selected(selection, weighed(twice, random, rng))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [*BAD, 0.0])
def test_weights_that_are_none(selection, ranges, bad, dtype):
    """NaN, with its gradient, of this group alone; of a range mean with no weight at all, 0."""
    rng = np.random.default_rng(0)
    for n in (1, 8, 900):
        x = residuals("random", 3 * n, dtype).reshape(3, n)
        weights = rng.random((3, n)) + 0.1
        if bad == 0.0:
            weights[1] = bad
        else:
            weights[1, n // 2] = bad
        others = [0, 2]
        case = Case(x, QS, "inverted_cdf", 1, False, weights)
        value, state = selection.forward(case)
        good = selection.forward(replace(case, x=x[others], weights=weights[others]))
        assert np.isnan(value[:, 1]).all()
        np.testing.assert_array_equal(value[:, others], good.value)
        np.testing.assert_array_equal(state[others], good.state)
        assert np.isnan(selection.backward(case, value, state)[1]).all()
        of_range = RangeCase(x, "between", (0.2, 0.8), 1, None, weights)
        mean, state = ranges.forward(of_range)
        slope = ranges.backward(of_range, upstream_of(of_range), state)
        good = ranges.forward(replace(of_range, values=x[others], weights=weights[others]))
        np.testing.assert_array_equal(mean[others], good[0])
        expected = 0.0 if bad == 0.0 else np.nan
        np.testing.assert_array_equal(mean[1].astype(np.float64), expected)
        np.testing.assert_array_equal(slope[1].astype(np.float64), np.full(n, expected))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_weights_of_integers_that_are_none(selection, dtype):
    """There is no NaN: it is one of the elements."""
    x = integers(np.random.default_rng(0), (900,), dtype)
    for bad in (*BAD, 0.0):
        case = Case(x, QS, "inverted_cdf", None, False, np.full(900, bad))
        assert np.isin(selection.forward(case).value, x).all()


def test_what_the_host_cannot_check(selection, ranges):
    """On the device, a q out of range, or bounds that are none, are NaN."""
    rng = np.random.default_rng(0)
    x = residuals("random", 500, "float32").reshape(2, 250)
    for method in METHODS:
        case = weighed(Case(x, (0.0, -0.1, 1.5, np.nan, 1.0), method, 1), random, rng)
        value, state = selection.forward(case, q_on_device=True)
        good = selection.forward(replace(case, q=(0.0, 1.0)))
        np.testing.assert_array_equal(value[[0, -1]], good.value)
        assert np.isnan(value[1:-1]).all()
        assert np.isnan(selection.backward(case, np.ones_like(value), state)).all()
        whole_x = integers(rng, (50,), "int16")
        case = weighed(Case(whole_x, (-1.0, 2.0, np.nan), method), random, rng)
        assert np.isin(selection.forward(case, q_on_device=True).value, whole_x).all()
    for bounds in ((0.5, 0.5), (-0.1, 0.5), (0.5, 1.1), (np.nan, 0.5)):
        case = weighed(RangeCase(x, "between", bounds, 1), random, rng)
        assert np.isnan(ranges.forward(case, on_device=True)[0]).all()


def test_other_kinds_end(ranges):
    """What callers refuse has no meaning, and is over all the same."""
    rng = np.random.default_rng(0)
    values = residuals("random", 500, "float32")
    for kind, bounds in (("largest", (3.5, 0.0)), ("at_least", (0.3, 2.0)), ("largest", (1e9, 0))):
        ranges.forward(weighed(RangeCase(values, kind, bounds), random, rng), on_device=True)


def test_masked_elements_have_no_weight(ranges):
    rng = np.random.default_rng(0)
    values = residuals("random", 500, "float32")
    mask = rng.random(500) < 0.6
    weights = rng.random(500)
    kept = RangeCase(values, "between", (0.2, 0.8), None, None, np.where(mask, weights, 0))
    weights[~mask] = rng.choice([*BAD, 1e300], (~mask).sum())
    masked = RangeCase(np.where(mask, values, np.nan), "between", (0.2, 0.8), None, mask, weights)
    for found, expected in zip(ranges.forward(masked), ranges.forward(kept), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_infinite_values(selection, ranges):
    """Some of no weight make nothing of them."""
    x = residuals("random", 400, "float32")
    x[::4], x[1::4] = np.inf, -np.inf
    weights = np.where(np.isfinite(x), 1.0, 0.0)
    check_selected(selection, Case(x, QS, "inverted_cdf", None, False, weights))
    check_averaged(ranges, RangeCase(x, "between", (0.0, 1.0), None, None, weights))
    check_averaged(ranges, RangeCase(x, "between", (0.25, 0.75), None, None, np.ones(400)))
    check_averaged(ranges, RangeCase(x, "between", (0.3, 1.0), None, None, np.ones(400)))


def test_the_order_of_threads_does_not_matter(selection, ranges):
    rng = np.random.default_rng(0)
    x = residuals("few_values", 3000, "float32")
    case = weighed(Case(x, QS, "inverted_cdf"), wide, rng)
    of_range = weighed(RangeCase(x, "between", (0.1, 0.9)), wide, rng)
    results = set()
    for seed in range(6):
        selection.seed = ranges.seed = seed
        found = (*selection.forward(case), *ranges.forward(of_range))
        results.add(tuple(array.tobytes() for array in found))
    assert len(results) == 1


def test_launches_do_not_depend_on_the_data(selection, ranges):
    """One that clears, one that weighs, one for each digit."""
    rng = np.random.default_rng(0)
    for limits in (Limits(), PATHS["digits"]):
        selection.limits = ranges.limits = limits
        for name in ("random", "constant"):
            for dtype, count, launches in (
                ("int8", 1, 3), ("float16", 1, 4), ("float32", 1, 5), ("float32", 2, 5),
                ("float32", 3, 6), ("float32", 32, 7), ("float32", 33, 15), ("float64", 1, 8),
                ("float64", 32, 13),
            ):  # fmt: skip
                x = residuals(name, 500, "float32" if dtype == "int8" else dtype).astype(dtype)
                case = Case(x, tuple(np.linspace(0, 1, count)), "inverted_cdf")
                selection.forward(weighed(case, random, rng))
                assert selection.launches == launches, (dtype, count)
                if count == 1 and dtype != "int8":
                    ranges.forward(weighed(RangeCase(x), random, rng))
                    assert ranges.launches == launches


def test_the_workspace_is_small(selection, ranges):
    selection.limits = ranges.limits = LIMITS_OF_A_LARGE_GPU
    for shape, axis in (((1 << 20,), None), ((20_000, 20), 0), ((200, 17_000), 1), ((70, 50), 1)):
        x = np.broadcast_to(np.float32(0), shape)
        weights = np.ones(1, np.float32)
        assert 0 < ranges.space(RangeCase(x, axis=axis, weights=weights)) < 2**20
        for count in (1, 7, 101):
            case = Case(x, QS[:1] * count, "floor", axis, weights=weights)
            assert 0 < selection.space(case) < 2**20
