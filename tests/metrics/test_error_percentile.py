"""ErrorPercentile: exact for few samples, within its guarantee for many, mergeable."""

import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops.metrics import ErrorPercentile

SMALLEST = float(np.finfo("float32").tiny)
PERCENTILES = (0.001, 0.25, 0.5, 0.9, 0.99, 1.0)
DISTRIBUTIONS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "exponential": lambda rng, n: rng.exponential(1e4, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 8, n),
    "cauchy": lambda rng, n: rng.standard_cauchy(n),
    "pareto": lambda rng, n: rng.pareto(0.5, n),
    "half zeros": lambda rng, n: rng.standard_normal(n) * (rng.random(n) < 0.5),
    "zeros": lambda rng, n: np.zeros(n),  # noqa: ARG005
    "constant": lambda rng, n: np.full(n, 0.3),  # noqa: ARG005
    "two values": lambda rng, n: rng.choice([1e-30, 1e30], n),
    "all scales": lambda rng, n: np.exp2(rng.uniform(-126, 127.99, n)),
    "tiny": lambda rng, n: SMALLEST * rng.uniform(1, 5, n),
    "huge": lambda rng, n: float(np.finfo("float32").max) * rng.uniform(0.5, 1, n),
    "powers of two": lambda rng, n: np.exp2(rng.integers(-120, 120, n)),
    "a tenth infinite": lambda rng, n: np.where(rng.random(n) < 0.1, -np.inf, 1.0),
    "sorted": lambda rng, n: np.sort(rng.standard_normal(n)),
}


def floor_percentile(errors, p, weights=None):
    """The definition: the first error with more than a share p of the weight up to it."""
    order = np.argsort(errors, kind="stable")
    errors = np.asarray(errors)[order]
    weights = np.ones(len(errors)) if weights is None else np.asarray(weights)[order]
    reached = np.cumsum(weights)
    beyond = np.flatnonzero((reached > p * reached[-1]) | (reached == reached[-1]))
    return errors[beyond[0]]


def update_in_batches(metric, errors, weights=None, size=1000):
    for i in range(0, len(errors), size):
        part = slice(i, i + size)
        zeros = np.zeros_like(errors[part])
        metric.update_state(zeros, errors[part], None if weights is None else weights[part])


def test_the_definition_is_the_losses_rank():
    for n in (1, 2, 99, 100, 101, 1000):
        for p in PERCENTILES:
            rank = min(int(np.floor(n * p)), n - 1)
            assert floor_percentile(np.arange(n), p) == rank


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("relative_error", quick(0.01, of=[0.01, 0.05]))
def test_guarantee(name, relative_error):
    errors = DISTRIBUTIONS[name](np.random.default_rng(0), 20_000).astype("float32")
    metric = ErrorPercentile(relative_error=relative_error)
    update_in_batches(metric, errors)
    for p in PERCENTILES:
        metric.percentile = p
        exact = floor_percentile(np.abs(errors), p)
        if np.isfinite(exact):
            np.testing.assert_allclose(metric.result(), exact, rtol=relative_error, atol=0)
        else:
            assert metric.result() == exact


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_guarantee_in_other_dtypes(dtype):
    rng = np.random.default_rng(0)
    errors = tf.cast(rng.standard_normal(5000), dtype)
    metric = ErrorPercentile(0.9, dtype=dtype)
    metric.update_state(tf.zeros_like(errors), errors)
    assert metric.result().dtype == dtype
    exact = floor_percentile(np.abs(tf.cast(errors, tf.float64).numpy()), 0.9)
    # What float16 and bfloat16 round the result by comes on top.
    rounding = {"float16": 2**-11, "bfloat16": 2**-8, "float64": 0}[dtype]
    np.testing.assert_allclose(float(metric.result()), exact, rtol=0.01 + rounding)


def test_float64_has_its_own_range():
    metric = ErrorPercentile(0.5, dtype="float64", exact_size=0)
    metric.update_state(np.zeros(3), np.float64([1e-300, 1e250, 1e300]))
    np.testing.assert_allclose(metric.result(), 1e250, rtol=0.01)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_few_samples_are_exact(name):
    rng = np.random.default_rng(1)
    for n in (1, 10, 1024):
        errors = DISTRIBUTIONS[name](rng, n).astype("float32")
        metric = ErrorPercentile()
        update_in_batches(metric, errors, size=600)
        for p in PERCENTILES:
            metric.percentile = p
            assert metric.result() == floor_percentile(np.abs(errors), p), (n, p)


def test_exact_ends_at_its_size():
    errors = np.linspace(1, 2, 11, dtype="float32")
    for size, exact in ((10, False), (11, True), (0, False)):
        metric = ErrorPercentile(0.5, exact_size=size)
        metric.update_state(np.zeros(11), errors)
        assert (float(metric.result()) == 1.5) == exact
        np.testing.assert_allclose(metric.result(), 1.5, rtol=0.01)


@pytest.mark.parametrize("n", [300, 5000])
def test_weights(n):
    rng = np.random.default_rng(0)
    errors = rng.standard_normal(n).astype("float32")
    weights = rng.choice([0, 0, 0.5, 3], n).astype("float32")
    metric = ErrorPercentile()
    update_in_batches(metric, errors, weights, size=100)
    for p in PERCENTILES:
        metric.percentile = p
        exact = floor_percentile(np.abs(errors[weights > 0]), p, weights[weights > 0])
        np.testing.assert_allclose(metric.result(), exact, rtol=0 if n == 300 else 0.01)


def test_whole_weights_repeat_samples():
    errors, weights = np.float32([3, 1, 2]), np.float32([1, 5, 2])
    repeated = np.repeat(errors, weights.astype(int))
    for p in (0.1, 0.6, 0.625, 0.63, 0.9, 1.0):
        once, again = ErrorPercentile(p), ErrorPercentile(p)
        once.update_state(np.zeros(3), errors, weights)
        again.update_state(np.zeros(8), repeated)
        assert once.result() == again.result()


@pytest.mark.parametrize("n", [100, 5000])
def test_ignored_masked_and_nan(n):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.standard_normal((2, n, 2)).astype("float32")
    y_true[rng.random((n, 2)) < 0.2] = -1
    y_pred[rng.random((n, 2)) < 0.2] = np.nan
    kept = rng.random(n) < 0.7
    predictions = tf.constant(y_pred)
    predictions._keras_mask = tf.constant(kept)
    valid = kept[:, None] & (y_true != -1) & ~np.isnan(y_pred)
    metric = ErrorPercentile(0.9, ignore_value=-1, ignore_nan=True)
    metric.update_state(y_true, predictions)
    exact = floor_percentile(np.abs(y_pred - y_true)[valid], 0.9)
    np.testing.assert_allclose(metric.result(), exact, rtol=0 if n == 100 else 0.01)

    metric = ErrorPercentile(0.9, ignore_value=-1)
    metric.update_state(y_true, predictions)
    assert np.isnan(metric.result())
    metric.reset_state()
    assert metric.result() == 0
    metric.update_state([-1.0, 0.0], [np.nan, 2.0])
    assert metric.result() == 2


def test_all_ignored():
    metric = ErrorPercentile(ignore_value=0)
    metric.update_state([0.0, 0.0], [1.0, np.nan])
    assert metric.result() == 0


@pytest.mark.parametrize("sizes", [(10, 20, 30), (900, 200), (3000, 10), (10, 3000)])
def test_merged_is_as_if_seen(sizes):
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(n).astype("float32") for n in sizes]
    metrics = [ErrorPercentile(0.9) for _ in parts]
    for metric, part in zip(metrics, parts, strict=True):
        update_in_batches(metric, part, size=400)
    one = ErrorPercentile(0.9)
    update_in_batches(one, np.concatenate(parts))
    metrics[0].merge_state(metrics[1:])
    assert metrics[0].result() == one.result()
    np.testing.assert_array_equal(metrics[0].counts, one.counts)
    np.testing.assert_array_equal(metrics[0].seen, one.seen)
    with pytest.raises(ValueError, match=r"relative_error=0\.02 of a metric to merge.*0\.01"):
        one.merge_state([ErrorPercentile(relative_error=0.02)])


def test_not_the_mean_of_batch_percentiles():
    errors = np.concatenate([np.full(900, 1.0), np.full(100, 100.0)]).astype("float32")
    metric = ErrorPercentile(0.95)
    update_in_batches(metric, errors, size=100)
    by_batch = np.mean([floor_percentile(part, 0.95) for part in errors.reshape(10, 100)])
    assert float(metric.result()) == 100
    assert by_batch < 11


def test_memory_is_fixed():
    metric = ErrorPercentile()
    shapes = [tuple(v.shape) for v in metric.variables]
    update_in_batches(metric, np.ones(100_000, "float32"), size=50_000)
    assert [tuple(v.shape) for v in metric.variables] == shapes
    assert sum(np.prod(shape) for shape in shapes) < 20_000
