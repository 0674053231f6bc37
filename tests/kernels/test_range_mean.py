"""Range means on the CPU: means and weights of every kind of range, on every instruction set."""

import ml_dtypes
import numpy as np
import pytest
import range_oracle
from families import EXTREME_FAMILIES, FAMILIES, LARGE_FAMILIES, residuals
from quick import in_turn, quick

from tailops import _kernels, kernels

BLOCK = _kernels.BLOCK_LENGTH
PARALLEL = _kernels.PARALLEL_ELEMENTS
SIZES = [*range(1, 71), 255, 256, 257, 2047, 2048, 2049, BLOCK - 1, BLOCK, BLOCK + 1]
LARGE = [PARALLEL - 1, PARALLEL + 1, 3 * PARALLEL + 17]
DTYPES = ["float16", "bfloat16", "float32", "float64"]
EVERY_FAMILY = [*FAMILIES, *EXTREME_FAMILIES]


def ranges(values):
    """Of every kind, among values that are all valid."""
    n = len(values)
    middle = float(np.sort(values.astype("f8"))[n // 2])
    within = (n // 3 + 0.25) / n, (n // 3 + 0.5) / n
    yield from (("between", bounds) for bounds in [(0.9, 1), (0, 0.9), (0.1, 0.9), (0, 1), within])
    yield from (("largest", (k, 0)) for k in {0.5, 1.0, n / 10, float(max(1, n // 2)), float(n)})
    for threshold in {middle, np.nextafter(middle, np.inf), np.inf, -np.inf}:
        yield from (("at_least", (threshold, least)) for least in (1, n / 10 + 1, np.inf))


def some_values(family, n, dtype):
    """Such that their sum is a number in float64: there is no wider type to add them up in."""
    values = residuals(family, n, dtype)
    is_large = family in (*LARGE_FAMILIES, "mixed_scales")
    return values / n if dtype == "float64" and is_large else values


def few_ranges(values):
    """Some that take the ways there are."""
    return list(ranges(values))[::3]


def info(dtype):
    return ml_dtypes.finfo(dtype)


def assert_means(found, means, values, weights, dtype):
    """To the dtype's precision, and that of sums: of 16 numbers in float32, of many in float64."""
    of_sums = 1e-13 if dtype == "float64" else 1e-6
    with np.errstate(all="ignore"):
        size = float(np.where(weights > 0, weights * np.abs(values.astype("f8")), 0.0).sum())
        if not np.isfinite(size):
            size = 0.0
        close = np.abs(found.astype("f8") - means) <= (
            float(info(dtype).eps) * np.abs(means)
            + of_sums * size
            + float(info(dtype).smallest_subnormal)
        )
        means = means.astype(dtype).astype("f8")
        same = (found.astype("f8") == means) | (np.isnan(found.astype("f8")) & np.isnan(means))
    assert (close | same).all(), (found, means)


def assert_weights(found, weights, dtype):
    np.testing.assert_allclose(
        found.astype("f8"),
        weights,
        rtol=2 * float(info(dtype).eps),
        atol=float(info(dtype).smallest_subnormal),
    )
    np.testing.assert_array_equal(found[weights == 0], 0)


def assert_right(values, kind, bounds, *, axis=None, mask=None, threads=(1,)):
    means, weights = range_oracle.range_mean(values, bounds, kind, axis, mask)
    for count in threads:
        call = {"axis": axis, "mask": mask, "threads": count}
        mean, state = kernels.range_mean_forward(values, bounds, kind, **call)
        assert_means(mean.reshape(-1), means, values, weights, values.dtype.name)
        upstream = np.ones(mean.shape, values.dtype)
        gradient = kernels.range_mean_gradient(upstream, values, state, **call)
        assert gradient.dtype == values.dtype
        assert_weights(gradient, weights, values.dtype.name)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", quick("float32", of=DTYPES))
def test_every_size(dtype):
    for n in SIZES:
        values = residuals("random", n, dtype)
        for kind, bounds in ranges(values):
            assert_right(values, kind, bounds)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", quick("float32", of=DTYPES))
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_every_family(family, dtype):
    for n in (24, 300, 2049, BLOCK + 1):
        values = some_values(family, n, dtype)
        for kind, bounds in few_ranges(values):
            assert_right(values, kind, bounds)


@pytest.mark.extended
@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize(
    ("family", "dtype", "instruction_set"),
    in_turn(EVERY_FAMILY, DTYPES, _kernels.build_info()["instruction_sets"]),
    indirect=["instruction_set"],
)
def test_every_range_of_every_family(family, dtype):
    for n in (5, 24, 25, 300, 2049, BLOCK + 1, *LARGE):
        values = some_values(family, n, dtype)
        mask = np.random.default_rng(n).random(n) < 0.4
        for kind, bounds in ranges(values):
            assert_right(values, kind, bounds, threads=(1, 3))
        if mask.any():
            for kind, bounds in few_ranges(values[mask]):
                assert_right(values, kind, bounds, mask=mask, threads=(1, 3))


@pytest.mark.parametrize("dtype", quick("float32", of=DTYPES))
@pytest.mark.parametrize("family", ["random", "half_zeros", "few_values", "constant", "infinite"])
def test_large_groups(family, dtype):
    for n in LARGE:
        values = some_values(family, n, dtype)
        for kind, bounds in few_ranges(values):
            assert_right(values, kind, bounds, threads=(1, 3))


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", quick("float32", "bfloat16", of=DTYPES))
@pytest.mark.parametrize("part", [0.5, 0.02, 0.999])
def test_ignored_elements(part, dtype):
    rng = np.random.default_rng(0)
    for n in (1, 20, 70, 300, 2100, 5000, BLOCK + 1, 40_000):
        mask = rng.random(n) < part
        mask[rng.integers(n)] = True
        values = np.where(mask, rng.standard_normal(n), np.nan).astype(dtype)
        for kind, bounds in few_ranges(values[mask]):
            assert_right(values, kind, bounds, mask=mask)


def test_with_all_ignored_the_mean_is_zero():
    for n in (1, 30, 3000, 40_000):
        values = np.full(n, np.nan, "float32")
        for kind, bounds in (("between", (0.5, 1)), ("largest", (n, 0)), ("at_least", (0, 5))):
            mask = np.zeros(n, bool)
            mean, state = kernels.range_mean_forward(values, bounds, kind, mask=mask)
            assert mean == 0
            gradient = kernels.range_mean_gradient(np.float32(1), values, state, mask=mask)
            np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("family", ["random", "few_values", "constant"])
def test_ranges_of_a_part_of_an_element(family):
    for n in (1, 7, 100, 2500, 20_000):
        values = residuals(family, n, "float64")
        for position in {0, n // 2, n - 1}:
            for begin, end in ((0.0, 1.0), (0.25, 0.5), (0.0, 0.001), (0.999, 1.0)):
                bounds = (position + begin) / n, min((position + end) / n, 1.0)
                assert_right(values, "between", bounds)


def test_a_range_narrower_than_the_numbers_are_apart():
    values = residuals("random", 1000, "float64")
    for lower in (0.25, 1 - 2.0**-53):
        assert_right(values, "between", (lower, np.nextafter(lower, 2)))


@pytest.mark.parametrize(
    ("n", "lower", "first"),
    [(100, 0.29, 29), (10, 1 - 0.9, 1)],  # 28.999999999999996, 0.9999999999999998
)
def test_a_whole_number_of_elements_but_for_rounding(n, lower, first):
    values = np.arange(float(n))
    _, state = kernels.range_mean_forward(values, (lower, 1), "between")
    weights = kernels.range_mean_gradient(1.0, values, state)
    np.testing.assert_array_equal(weights, np.where(values >= first, 1 / (n - first), 0))


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", quick("float32", of=DTYPES))
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((40, 7), 1),
        ((40, 7), 0),
        ((300, 64), -1),
        ((20, 129), 1),
        ((5, 33, 300), 1),
        ((3, 9, 40), 0),
        ((2, 3000, 3), 1),
        ((2, 9000, 20), 1),
        ((3, 20_000), 1),
        ((64, 1), 1),
        ((4, 5, 6), None),
    ],
)
def test_axes(shape, axis, dtype):
    rng = np.random.default_rng(0)
    values = (np.round(16 * rng.standard_normal(shape)) / 16).astype(dtype)
    mask = rng.random(shape) < 0.7
    n = values.size if axis is None else shape[axis]
    for kind, bounds in (
        ("between", (0.9, 1)),
        ("between", (0.1, 0.85)),
        ("largest", (min(1.5, n), 0)),
        ("at_least", (0.5, n / 10 + 1)),
    ):
        assert_right(values, kind, bounds, axis=axis, threads=(1, 3))
        if kind != "largest":
            assert_right(values, kind, bounds, axis=axis, mask=mask, threads=(1, 3))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("length", [20, 500, 5000])
def test_a_nan_is_the_result_of_its_group(length, axis):
    values = np.random.default_rng(0).standard_normal((20, length))
    values[3, length // 3] = np.nan
    values = np.ascontiguousarray(values if axis == 1 else values.T)
    for kind, bounds in (
        ("between", (0.9, 1)),
        ("between", (0, 0.5)),
        ("between", (0.3, 0.5)),
        ("between", (0, 1)),
        ("at_least", (0, 1)),
        ("at_least", (np.inf, 1)),
    ):
        assert_right(values, kind, bounds, axis=axis)
        valid = ~np.isnan(values)
        assert_right(values, kind, bounds, axis=axis, mask=valid)


def test_sums_that_only_the_compute_type_overflows():
    for dtype in ("bfloat16", "float32"):
        for n in (100, 5000):
            values = np.full(n, 0.9 * float(info(dtype).max)).astype(dtype)
            values[::3] *= -1
            for kind, bounds in few_ranges(values):
                assert_right(values, kind, bounds)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients(dtype):
    """The weight times the upstream gradient: they add up to it, over the values or not."""
    rng = np.random.default_rng(0)
    for shape, axis in (((3, 5000), 1), ((900, 5), 0), ((2, 70, 600), 1), ((50, 3), 1)):
        values = rng.standard_normal(shape).astype(dtype)
        mean, state = kernels.range_mean_forward(values, (0.55, 0.95), "between", axis=axis)
        upstream = rng.uniform(1, 2, mean.shape).astype(dtype)
        gradient = kernels.range_mean_gradient(upstream, values, state, axis=axis)
        np.testing.assert_allclose(
            gradient.astype("f8").sum(axis),
            upstream.astype("f8"),
            rtol=max(2 * float(info(dtype).eps), 1e-13),
        )
        lower, upper, *weights = np.expand_dims(state.T.reshape(5, *mean.shape), axis + 1)
        wide = values.astype("f8")
        of_values = np.select(
            [(wide < lower) | (wide > upper), wide == lower, wide == upper],
            [0.0, *weights[:2]],
            weights[2],
        )
        compute = "float64" if dtype == "float64" else "float32"
        expected = (of_values * np.expand_dims(upstream.astype("f8"), axis)).astype(compute)
        np.testing.assert_array_equal(gradient, expected.astype(dtype))
        kernels.range_mean_gradient(upstream, values, state, axis=axis, out=values)
        np.testing.assert_array_equal(values, gradient)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_that_are_written_past_the_caches(masked):
    n = 4 * _kernels.STREAMED_BYTES // 4 + 1001
    values = np.random.default_rng(0).standard_normal(n).astype("float32")
    mask = values > -1 if masked else None
    _, state = kernels.range_mean_forward(values, (0.9, 1), "between", mask=mask)
    gradient = kernels.range_mean_gradient(np.float32(1), values, state, mask=mask, threads=2)
    lower, _, at_lower, _, between = state[0].astype("float32")
    expected = np.where(values > lower, between, np.where(values == lower, at_lower, 0))
    np.testing.assert_array_equal(gradient, expected.astype("float32"))


def test_errors():
    x = np.ones((2, 3))
    for arguments, message in [
        (((0.5, 0.5), "between"), r"lower=0\.5, upper=0\.5: must be 0 <= lower < upper <= 1"),
        (((-0.1, 0.5), "between"), r"must be 0 <= lower < upper <= 1"),
        (((np.nan, 1), "between"), r"must be 0 <= lower < upper <= 1"),
        (((0, 0), "largest"), r"k=0: must be above 0, and finite"),
        (((7, 0), "largest"), r"k=7: must be at most the number of valid values.* is 6"),
        (((4, 0), "largest", 1), r"k=4: must be at most the number of valid values.* is 3"),
        (((0, 0.5), "at_least"), r"threshold=0, min_kept=0\.5: .* at least 1"),
        (((np.nan, 1), "at_least"), r"threshold=nan, .* must be a number"),
        (((0, 1), "above"), "kind='above': must be one of 'between', 'largest', 'at_least'"),
        (((0, 1), "between", 2), r"axis=2: must be in \[-2, 2\) for an input of shape \(2, 3\)"),
        (((0, 1), "between", None, [True]), r"mask is bool\(1,\): must be bool\(2, 3\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            kernels.range_mean(x, *arguments)
    mask = np.array([[True, True, False], [True, True, True]])
    with pytest.raises(ValueError, match=r"k=3: must be at most .* is 2"):
        kernels.range_mean(x, (3, 0), "largest", 1, mask)
    with pytest.raises(ValueError, match=r"input of shape \(0,\): there must be at least one"):
        kernels.range_mean(np.ones(0), (0, 1), "between")
    with pytest.raises(ValueError, match="dtype='int64'"):
        kernels.range_mean(np.arange(3), (0, 1), "between")
    state = kernels.range_mean_forward(x, (0, 1), "between", 1).state
    with pytest.raises(ValueError, match=r"upstream of shape \(3,\): must be \(2,\)"):
        kernels.range_mean_gradient(np.ones(3), x, state, 1)
    with pytest.raises(ValueError, match=r"state of shape \(1, 5\): must be \(2, 5\)"):
        kernels.range_mean_gradient(np.ones(2), x, state[:1], 1)
