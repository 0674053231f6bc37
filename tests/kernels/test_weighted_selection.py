"""Selection and range means by weights: against sorting, with sums that are exact."""

from fractions import Fraction

import numpy as np
import pytest

from tailops import _kernels, kernels

# Around what is sorted, what has a table, what a sample brackets, and blocks; of the last, what the
# bracket keeps is bracketed again.
SIZES = (1, 5, 70, 255, 256, 257, 2047, 2048, 2049, 8191, 8192, 8193, 40_001)
QS = (0.0, 0.01, 0.3, 0.5, 0.77, 0.99, 1.0)
METHODS = _kernels.METHODS_OF_WEIGHTS


def values_of(kind, n, dtype, rng):
    """Distinct, tied, constant, ordered, and over the whole range of the type."""
    if kind == "whole range":
        if np.dtype(dtype).kind in "iu":
            limits = np.iinfo(dtype)
            return rng.integers(limits.min, limits.max, n, dtype, endpoint=True)
        bits = rng.integers(0, 2 ** (8 * np.dtype(dtype).itemsize - 1), n, np.uint64)
        x = bits.astype(f"u{np.dtype(dtype).itemsize}").view(dtype)
        return np.where(np.isnan(x), 0, x) * rng.choice([-1, 1], n).astype(dtype)
    x = {
        "normal": lambda: rng.standard_normal(n) * 40,
        "few": lambda: rng.integers(0, 4, n),
        "constant": lambda: np.full(n, 3),
        "sorted": lambda: np.sort(rng.standard_normal(n) * 40),
        "reversed": lambda: -np.sort(rng.standard_normal(n) * 40),
        "infinite": lambda: rng.choice([-np.inf, 0.0, -0.0, 1.0, np.inf], n),
    }[kind]()
    return x.astype(dtype)


def weights_of(kind, n, dtype, rng):
    """Whole numbers, or tenths of them: sums are exact in float64, or are made so."""
    w = {
        "counts": lambda: rng.integers(0, 9, n),
        "ones": lambda: np.ones(n),
        "rare": lambda: np.where(rng.random(n) < 0.003, 100_000, rng.integers(0, 2, n)),
        "tenths": lambda: rng.integers(0, 9, n) / 10,
        "one": lambda: np.arange(n) == n // 3,
    }[kind]().astype(dtype)
    w[n // 2] = w[n // 2] or dtype(1)
    return w


def places(weights, qs, method):
    """In ascending order, which element each q is: from sums of fractions, rounded once."""
    exact = [Fraction(float(w)) for w in weights]
    until, sums = Fraction(0), []
    for w in exact:
        until += w
        sums.append(until)
    total = until
    found = []
    for q in qs:
        if method == "floor":
            reached = [s > float(total) * q for s in sums]
        else:
            reached = [float(s / total) >= q and s > 0 for s in sums]
        last = max(i for i, w in enumerate(exact) if w)
        found.append(reached.index(True) if True in reached else last)
    return found


def by_sorting(x, weights, qs, method):
    order = np.argsort(x, kind="stable")
    return x[order][places(weights[order], qs, method)]


def on_many_sizes(check, sizes):
    rng = np.random.default_rng(0)
    for n in sizes:
        check(n, rng)


@pytest.mark.parametrize(
    ("method", "counts"),
    # Whether tenths are above a product or are it, rounding says.
    [*((m, c) for m in METHODS for c in ("counts", "ones", "one")), ("inverted_cdf", "tenths")],
)
@pytest.mark.parametrize("wide", [np.float32, np.float64])
def test_every_small_size(method, counts, wide):
    def check(n, rng):
        x, weights = values_of("few", n, "float32", rng), weights_of(counts, n, wide, rng)
        found = kernels.select(x, QS, method=method, weights=weights)
        np.testing.assert_array_equal(found, by_sorting(x, weights, QS, method))

    on_many_sizes(check, range(1, 71))


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("kind", ["normal", "few", "constant", "sorted", "infinite", "whole range"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64", "uint8"])
def test_against_numpy(kind, dtype):
    if kind == "infinite" and dtype[0] != "f":
        pytest.skip("integers are finite")

    def check(n, rng):
        x = values_of(kind, n, dtype, rng)
        for counts in ("counts", "rare"):
            for wide in (np.float32, np.float64):
                weights = weights_of(counts, n, wide, rng)
                expected = np.quantile(x, QS, method="inverted_cdf", weights=weights)
                found = kernels.select(x, QS, method="inverted_cdf", weights=weights, threads=2)
                np.testing.assert_array_equal(found, expected)

    on_many_sizes(check, SIZES)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("wide", [np.float32, np.float64])
def test_as_many_repeats(wide):
    rng = np.random.default_rng(0)
    for n in (1, 7, 300, 3000, 50_000):
        x = values_of("normal", n, "float32", rng)
        weights = weights_of("counts", n, wide, rng)
        repeated = np.repeat(x, weights.astype(int))
        for method in METHODS:
            found = kernels.select(x, QS, method=method, weights=weights)
            np.testing.assert_array_equal(found, kernels.select(repeated, QS, method=method))
        for bounds in ((0.0, 1.0), (0.2, 0.7), (0.95, 1.0), (0.0, 0.9), (0.5, 0.5001)):
            mean = kernels.range_mean(x, bounds, "between", weights=weights)
            expected = kernels.range_mean(repeated, bounds, "between")
            np.testing.assert_allclose(mean, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("weight", [0.3, 0.1, 7.7, 1e-12, np.pi])
@pytest.mark.parametrize("wide", [np.float32, np.float64])
def test_equal_weights_are_as_none(weight, wide):
    for n in (*range(1, 71), 100, 3000, 10_000):
        x, weights = np.arange(float(n)), np.full(n, weight, wide)
        qs = np.unique([0.1, 0.3, 0.4, 0.7, 0.99, *np.linspace(0, 1, 41)])
        found = kernels.select(x, qs, method="inverted_cdf", weights=weights)
        expected = np.quantile(x, qs, method="inverted_cdf", weights=np.ones(n))
        np.testing.assert_array_equal(found, expected)
        # Whether a product is a whole number is for any power of two what it is for 1.
        found = kernels.select(x, qs, method="floor", weights=np.full(n, 2.0**-9, wide))
        np.testing.assert_array_equal(found, kernels.select(x, qs, method="floor"))


@pytest.mark.parametrize("n", [3000, 100_000])
def test_a_sample_that_misleads(n):
    """It sees nothing of what weighs most, or of what is selected."""
    from families import sampled_positions

    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal(n), np.ones(n)
    seen = list(sampled_positions(n))
    for values, counts in [(50.0, 1.0), (np.inf, 1.0), (-np.inf, 1.0), (0.0, 0.0), (9.0, 1e6)]:
        x[seen], weights[seen] = values, counts
        expected = np.quantile(x, QS, method="inverted_cdf", weights=weights)
        for threads in (1, 3):
            found = kernels.select(x, QS, method="inverted_cdf", weights=weights, threads=threads)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-38, 1.0, 1e38, 1e300])
def test_any_unit_of_weight(scale):
    rng = np.random.default_rng(0)
    x, counts = rng.standard_normal(5000), rng.integers(0, 9, 5000)
    expected = kernels.select(x, QS, method="inverted_cdf", weights=counts)
    found = kernels.select(x, QS, method="inverted_cdf", weights=counts * scale)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_groups(axis):
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal((6, 400, 9)), rng.integers(0, 5, (6, 400, 9))
    expected = np.quantile(x, QS, axis=axis, method="inverted_cdf", weights=weights)
    for threads in (1, 4):
        call = {"axis": axis, "weights": weights, "threads": threads}
        found = kernels.select(x, QS, method="inverted_cdf", **call)
        np.testing.assert_array_equal(found, expected)


def test_many_quantiles():
    rng = np.random.default_rng(0)
    x, weights, qs = rng.standard_normal(30_000), rng.integers(0, 5, 30_000), rng.random(300)
    found = kernels.select(x, qs, method="inverted_cdf", weights=weights)
    expected = np.quantile(x, qs, method="inverted_cdf", weights=weights)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [9, 5000])
def test_nan(n):
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal(n), rng.integers(1, 5, n).astype(float)
    x[::4] = np.nan
    weights[0] = 1e200  # of a NaN
    call = {"method": "inverted_cdf", "weights": weights}
    assert np.isnan(kernels.select(x, QS, **call)).all()
    found = kernels.select(x, QS, ignore_nan=True, **call)
    expected = np.nanquantile(x, QS, method="inverted_cdf", weights=weights)
    np.testing.assert_array_equal(found, expected)
    assert np.isnan(kernels.select(np.full(n, np.nan), QS, ignore_nan=True, **call)).all()
    assert np.isnan(kernels.range_mean(x, (0.5, 1.0), "between", weights=weights))


def test_gradients():
    """By the weights of what is equal; by finite differences where nothing is."""
    x = np.array([2.0, 1.0, 2.0, 3.0, 2.0])
    weights = np.array([1.0, 1.0, 3.0, 1.0, 0.0])
    _, state = kernels.select_forward(x, [0.5], method="inverted_cdf", weights=weights)
    found = kernels.select_backward([1.0], x, state) * weights
    np.testing.assert_allclose(found, [0.25, 0.0, 0.75, 0.0, 0.0])
    rng = np.random.default_rng(0)
    x, weights, step = rng.permutation(40) / 8, rng.random(40) * 3, 1e-5
    for bounds in ((0.0, 1.0), (0.1, 0.8), (0.7, 1.0)):
        _, state = kernels.range_mean_forward(x, bounds, "between", weights=weights)
        found = kernels.range_mean_gradient(1.0, x, state) * weights
        np.testing.assert_allclose(found.sum(), 1.0)
        for i in range(40):
            means = []
            for change in (step, -step):
                moved = x.copy()
                moved[i] += change
                means.append(kernels.range_mean(moved, bounds, "between", weights=weights))
            np.testing.assert_allclose(found[i], (means[0] - means[1]) / (2 * step), atol=1e-9)


def test_of_no_weight_at_all():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    weights = np.array([[1.0, 0.0], [0.0, 0.0]])
    mean, state = kernels.range_mean_forward(x, (0.5, 1.0), "between", 1, weights=weights)
    np.testing.assert_array_equal(mean, [1.0, 0.0])
    gradient = kernels.range_mean_gradient(np.ones(2), x, state, 1) * weights
    np.testing.assert_array_equal(gradient, weights)
    with pytest.raises(ValueError, match="weights of a group are all 0: at least one must be"):
        kernels.select(x, [0.5], method="inverted_cdf", axis=1, weights=weights)


@pytest.mark.parametrize("n", [5, 5000])
@pytest.mark.parametrize("bad", [-1.0, -1e-300, np.nan, np.inf])
def test_what_is_no_weight(n, bad):
    weights = np.ones(n)
    weights[n // 2] = bad
    message = f"weights: must be finite and at least 0, and one is {bad:g}"
    with pytest.raises(ValueError, match=message):
        kernels.select(np.arange(n), [0.5], method="inverted_cdf", weights=weights)
    with pytest.raises(ValueError, match=message):
        kernels.range_mean(np.arange(float(n)), (0.5, 1.0), "between", weights=weights)


def test_wrong_arguments():
    x = np.arange(6.0)
    for method in ("linear", "lower", "rank", "hazen"):
        with pytest.raises(ValueError, match=f"method='{method}' with weights: must be"):
            kernels.select(x, [0.5], method=method, weights=x)
    with pytest.raises(ValueError, match=r"weights are float64\(5,\): must be real numbers\(6,\)"):
        kernels.select(x, [0.5], method="floor", weights=x[:5])
    for kind in ("largest", "at_least"):
        with pytest.raises(ValueError, match=f"kind='{kind}' with weights: must be 'between'"):
            kernels.range_mean(x, (1.0, 1.0), kind, weights=x)
    with pytest.raises(ValueError, match="a mask with weights"):
        kernels.range_mean(x, (0.5, 1.0), "between", None, x > 1, weights=x)
