"""TailMean: the exact tail of few values, of many within its guarantee, in any order."""

import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from quick import quick
from tail_oracle import SIZES, exact, itself, require_guarantee, update_in_batches

from tailops.metrics import TailMean

PERCENTILES = (0.0, 0.001, 0.3, 0.5, 0.9, 0.95, 0.99, 0.9999)


def test_the_definition():
    values = np.float32([4, 1, 3, 2])
    np.testing.assert_allclose(exact(values, 0.7)[0], (0.2 * 3 + 4) / 1.2)
    assert exact(values, 0.75)[0] == 4
    assert exact(values, 0)[0] == 2.5
    assert exact(np.float32([-np.inf, 1, 2]), 1 / 3)[0] == 1.5
    assert exact(values, 0.5, np.float32([0, 3, 1, 1]))[0] == (0.5 * 1 + 2 + 3) / 2.5


@pytest.mark.parametrize("name", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("relative_error", quick(0.01, of=[0.002, 0.01, 0.5]))
@pytest.mark.parametrize("dtype", quick("float32", of=["float32", "float64"]))
@pytest.mark.parametrize("sign", [1, -1])
def test_guarantee(name, relative_error, dtype, sign):
    values = sign * residuals(name, sum(SIZES), dtype)
    metric = TailMean(itself, relative_error=relative_error, dtype=dtype)
    update_in_batches(metric, values)
    # The sums are float64: what they are rounded by, the result in float64 is, too.
    slack = 2 if dtype == "float32" else 500
    for p in PERCENTILES:
        metric.percentile = p
        require_guarantee(metric.result(), values, p, relative_error, dtype, slack=slack)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_guarantee_in_narrow_types(dtype):
    values = residuals("random", sum(SIZES), dtype)
    metric = TailMean(itself, dtype=dtype)
    update_in_batches(metric, values)
    for p in PERCENTILES:
        metric.percentile = p
        assert metric.result().dtype == dtype
        require_guarantee(metric.result(), values, p, 0.01, dtype)


@pytest.mark.parametrize("name", [*FAMILIES, *EXTREME_FAMILIES])
def test_few_values_are_exact(name):
    for n in (1, 10, 1024):
        values = residuals(name, n, "float32")
        metric = TailMean(itself)
        update_in_batches(metric, values)
        for p in PERCENTILES:
            metric.percentile = p
            require_guarantee(metric.result(), values, p, 0)


def test_exact_ends_at_its_size():
    values = np.linspace(1, 1.005, 11, dtype="float32")
    for size, is_exact in ((11, True), (10, False), (0, False)):
        metric = TailMean(itself, 0.9, exact_size=size)
        metric.update_state(values, values)
        close = np.isclose(float(metric.result()), exact(values, 0.9)[0], rtol=1e-6)
        assert close == is_exact
        require_guarantee(metric.result(), values, 0.9, 0.01)


@pytest.mark.parametrize("name", ["random", "heavy_tail", "tied_in_the_tail", "mixed_scales"])
def test_the_order_does_not_matter(name):
    values = np.sort(residuals(name, sum(SIZES), "float32"))
    half = len(values) // 2
    outside_in = np.empty_like(values)
    outside_in[0::2], outside_in[1::2] = values[: len(values) - half], values[half:][::-1][:half]
    orders = [values, values[::-1], np.roll(values, 500), outside_in]
    for p in (0.5, 0.99):
        results = []
        for order in orders:
            metric = TailMean(itself, p)
            update_in_batches(metric, order)
            require_guarantee(metric.result(), values, p, 0.01)
            results.append(float(metric.result()))
        np.testing.assert_allclose(results, results[0], rtol=1e-6)


@pytest.mark.parametrize("relative_error", [0.002, 0.01, 0.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_guarantee_is_reached_and_not_passed(relative_error, sign):
    """One bucket, (1/γ, 1] or [−1, −1/γ): nearly all at its lower end, the tail at its upper."""
    ends = np.float32([(1 + 0.03 * relative_error) / (1 + relative_error), 1])
    low, high = np.sort(sign * ends)
    values = np.where(np.arange(1000) < 10, high, low)
    metric = TailMean(itself, 0.99, relative_error=relative_error, exact_size=0)
    metric.update_state(values, values)
    lost = (high - float(metric.result())) / abs(high)
    most = relative_error / (1 + relative_error) if sign > 0 else relative_error
    assert 0.9 * most < lost < most


def test_few_values_in_few_buckets():
    """Random small problems, in which the bucket of the percentile is much of the tail."""
    rng = np.random.default_rng(0)
    for _ in range(150):
        n, r = rng.integers(1, 12), rng.choice([0.01, 0.1, 0.5])
        values = rng.choice([-1, 1]) * (1 + r) ** rng.uniform(-1.5, 1.5, n)
        values = np.float32(np.where(rng.random(n) < 0.1, 0, values))
        weights = rng.choice([0.1, 1, 2.5], n).astype("float32") if rng.random() < 0.5 else None
        metric = TailMean(itself, rng.uniform(0, 1), relative_error=r, exact_size=0)
        metric.update_state(values, values, weights)
        require_guarantee(metric.result(), values, metric.percentile, r, weights=weights)


def test_equal_values_and_the_mean_are_exact():
    constant = np.full(5000, -0.3, "float32")
    metric = TailMean(itself, 0.99)
    metric.update_state(constant, constant)
    assert metric.result() == constant[0]
    values = residuals("random", 5000, "float32") + 1
    metric = TailMean(itself, 0)
    metric.update_state(values, values)
    np.testing.assert_allclose(metric.result(), values.astype("float64").mean(), rtol=1e-6)


def test_the_largest_numbers_do_not_overflow():
    for dtype in ("float32", "float64"):
        values = np.full(3000, np.finfo(dtype).max, dtype)
        metric = TailMean(itself, 0.5, dtype=dtype)
        metric.update_state(values, values)
        assert metric.result() == values[0]


@pytest.mark.parametrize("n", [300, 5000])
def test_weights_are_repetitions(n):
    rng = np.random.default_rng(0)
    values = rng.standard_normal(n).astype("float32")
    weights = rng.choice([0, 0, 1, 3], n).astype("float32")
    values[np.flatnonzero(weights == 0)[:2]] = np.inf, -np.inf
    repeated = np.repeat(values, weights.astype(int))
    once, again = TailMean(itself), TailMean(itself, exact_size=0)
    update_in_batches(once, values, weights)
    update_in_batches(again, repeated)
    for p in PERCENTILES:
        once.percentile = again.percentile = p
        require_guarantee(once.result(), repeated, p, 0 if n == 300 else 0.01)
        if n > 300:
            np.testing.assert_allclose(once.result(), again.result(), rtol=1e-6)


@pytest.mark.parametrize("exact_size", [1024, 0])
def test_nan_reset_and_nothing(exact_size):
    metric = TailMean(itself, 0.5, exact_size=exact_size)
    assert metric.result() == 0
    for values in ([1.0, np.nan], [5.0, 6.0]):
        metric.update_state(values, values)
        assert np.isnan(metric.result())
    metric.reset_state()
    assert metric.result() == 0
    metric.update_state([0.0, 0.0], [2.0, 4.0])
    assert metric.result() == 4
    metric = TailMean(itself, 0.5, ignore_nan=True, exact_size=exact_size)
    metric.update_state([0.0], [np.nan])
    assert metric.result() == 0
    metric.update_state([0.0, 0.0, 0.0], [2.0, np.nan, 4.0])
    assert metric.result() == 4


@pytest.mark.parametrize("exact_size", [1024, 0])
def test_infinite_values(exact_size):
    for values, p, expected in (
        ([-np.inf, 1, 2, 3], 0.25, 2),
        ([-np.inf, 1, 2, 3], 0.2, -np.inf),
        ([-np.inf, 1, 2, np.inf], 0.25, np.inf),
        ([-np.inf, 1, 2, np.inf], 0, np.nan),
        ([-np.inf, -np.inf], 0.5, -np.inf),
        # 0.35·20 is 7.000000000000001 in floating point elsewhere: the contract's is 7.
        ([-np.inf] * 7 + [1.0] * 13, 0.35, 1),
    ):
        metric = TailMean(itself, p, exact_size=exact_size)
        metric.update_state(values, values)
        np.testing.assert_equal(float(metric.result()), expected)


@pytest.mark.parametrize("sizes", [(10, 20, 30), (900, 200), (3000, 10), (10, 3000)])
def test_merged_is_as_if_seen(sizes):
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(n).astype("float32") for n in sizes]
    metrics = [TailMean(itself, 0.9) for _ in parts]
    one = TailMean(itself, 0.9)
    for metric, part in zip(metrics, parts, strict=True):
        metric.update_state(part, part)
        one.update_state(part, part)
    metrics[0].merge_state(metrics[1:])
    np.testing.assert_allclose(metrics[0].result(), one.result(), rtol=1e-7)
    for mine, others in zip(metrics[0].variables, one.variables, strict=True):
        np.testing.assert_allclose(mine, others, rtol=1e-12)
    with pytest.raises(ValueError, match=r"exact_size=7 of a metric to merge: must be 1024"):
        one.merge_state([TailMean(itself, exact_size=7)])


def test_memory_is_fixed():
    metric = TailMean(itself)
    shapes = [tuple(v.shape) for v in metric.variables]
    values = residuals("heavy_tail", 100_000, "float32")
    metric.update_state(values, values)
    assert [tuple(v.shape) for v in metric.variables] == shapes
    assert sum(8 * np.prod(shape) for shape in shapes) < 0.61e6
