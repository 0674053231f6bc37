"""Quantiles by weights: NumPy's results, in every mode, and what is wrong with weights."""

import numpy as np
import pytest
import tensorflow as tf

from tailops import reference_selection
from tailops.ops import nanpercentile, nanquantile, percentile, quantile

QS = [0.0, 0.1, 0.5, 0.77, 1.0]
BY = {"method": "inverted_cdf"}
X = np.array([1.0, 4.0, 3.0, 2.0, 2.5, 7.0], "float32")
W = [0.1, 0.3, 0.05, 0.05, 0.2, 0.3]
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}


@pytest.fixture(params=MODES)
def mode(request):
    return MODES[request.param]


def batch(dtype="float32"):
    rng = np.random.default_rng(0)
    x = (rng.integers(-30, 30, (4, 50, 3)) / 4).astype(dtype)
    weights = rng.integers(0, 4, x.shape).astype("float32")
    weights[..., 1] += 1  # of no group all are 0
    return x, weights


def test_a_weighted_median(mode):
    assert mode(lambda: quantile(X, 0.5, weights=W, **BY))() == 4.0


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (2, 0), (0, 1, 2)])
def test_against_numpy(mode, axis):
    x, weights = batch()
    call = {"axis": axis, "weights": weights, **BY}
    found = mode(lambda x: quantile(x, QS, **call))(tf.constant(x))
    np.testing.assert_array_equal(found, np.quantile(x, QS, **call))
    kept = quantile(x, 0.3, keepdims=True, **call)
    np.testing.assert_array_equal(kept, np.quantile(x, 0.3, keepdims=True, **call))


@pytest.mark.parametrize(("axis", "shape"), [(1, (50,)), ((0, 2), (4, 3)), ((2, 0), (3, 4))])
def test_weights_along_the_axes(mode, axis, shape):
    x, _ = batch()
    call = {"axis": axis, "weights": np.random.default_rng(1).integers(1, 5, shape), **BY}
    found = mode(lambda x: quantile(x, QS, **call))(tf.constant(x))
    np.testing.assert_array_equal(found, np.quantile(x, QS, **call))


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "int64", "uint8", "bool"])
def test_dtypes(dtype):
    x, weights = batch("float64")
    x = (x > 0) if dtype == "bool" else (np.abs(x) if dtype == "uint8" else x).astype(dtype)
    call = {"axis": 1, "weights": weights, **BY}
    found = quantile(x, QS, **call)
    assert found.dtype == dtype
    wide = x.astype("float64") if dtype == "float16" else x
    np.testing.assert_array_equal(found, np.quantile(wide, QS, **call))


def test_the_rest_of_the_family():
    x, weights = batch()
    call = {"axis": 1, "weights": weights, **BY}
    found = percentile(x, [10, 50], **call)
    np.testing.assert_array_equal(found, np.percentile(x, [10, 50], **call))
    x[:, ::3] = np.nan
    np.testing.assert_array_equal(nanquantile(x, QS, **call), np.nanquantile(x, QS, **call))
    found = nanpercentile(x, [10, 50], **call)
    np.testing.assert_array_equal(found, np.nanpercentile(x, [10, 50], **call))
    assert np.isnan(quantile(x, QS, **call)).all()


def test_places():
    x = [5.0, 2.0, 7.0, 2.0, 2.0]
    weights = [1.0, 0.0, 1.0, 2.0, 1.0]
    value, place = quantile(x, [0.2, 0.9], weights=weights, return_indices=True, **BY)
    np.testing.assert_array_equal(value, [2.0, 7.0])
    np.testing.assert_array_equal(place, [3, 2])  # the first that counts


@pytest.mark.parametrize("weights_dtype", ["float32", "float64", "int32", "float16", "bool"])
def test_a_tensor_of_weights(mode, weights_dtype):
    x, weights = batch()
    weights = tf.cast(weights, weights_dtype)
    found = mode(lambda x, w: quantile(x, QS, axis=1, weights=w, **BY))(x, weights)
    expected = np.quantile(x, QS, axis=1, weights=tf.cast(weights, "float64").numpy(), **BY)
    np.testing.assert_array_equal(found, expected)


def test_unknown_shapes():
    x, weights = batch()
    for shape in ([None, None, 3], [4, None, None]):
        spec = tf.TensorSpec(shape, "float32")
        call = tf.function(lambda x, w: quantile(x, QS, 1, weights=w, **BY), [spec, spec])
        expected = np.quantile(x, QS, 1, weights=weights, **BY)
        np.testing.assert_array_equal(call(x, weights), expected)
    unknown = tf.TensorSpec(None, "float32")
    for axis in (None, 1):

        def of_any_rank(x, w, axis=axis):
            return quantile(x, QS, axis, weights=w, **BY)

        call = tf.function(of_any_rank, [unknown, tf.TensorSpec([4, 50, 3], "float32")])
        expected = np.quantile(x, QS, axis, weights=weights, **BY)
        np.testing.assert_array_equal(call(x, weights), expected)


def gradient(function, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x, upstream)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("method", ["inverted_cdf", "floor"])
def test_the_reference(mode, dtype, axis, method):
    x, weights = batch(dtype)
    x, weights = tf.constant(x), tf.constant(weights)
    q = tf.constant(QS, tf.float64)
    call = {"method": method, "axis": axis, "weights": weights}
    expected = reference_selection.select(x, q, **call)
    found = mode(lambda x: quantile(x, QS, **call))(x)
    np.testing.assert_array_equal(found, expected)
    up = tf.cast(np.random.default_rng(0).standard_normal(found.shape), dtype)
    ours = mode(lambda x: gradient(lambda x: quantile(x, QS, **call), x, up))(x)
    expected = gradient(lambda x: reference_selection.select(x, q, **call), x, up)
    tolerance = 2e-3 if dtype == "float16" else 1e-6
    np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance)


def test_a_gradient_by_weights():
    x, weights = tf.constant([2.0, 1.0, 2.0, 3.0, 2.0]), [1.0, 1.0, 3.0, 1.0, 0.0]
    found = gradient(lambda x: quantile(x, 0.5, weights=weights, **BY), x, tf.constant(8.0))
    np.testing.assert_array_equal(found, [2.0, 0.0, 6.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([*W[:5], -1.0], "weights: .*one is -1.*: must be|must be finite and at least 0.* -1"),
        ([*W[:5], np.nan], "weights: .*nan"),
        ([*W[:5], np.inf], "weights: .*inf"),
        ([0.0] * 6, "weights of a group are all 0: at least one must be positive"),
    ],
)
def test_values_that_are_no_weights(mode, weights, message):
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        quantile(X, 0.5, weights=weights, **BY)
    only_run_time_knows = mode(lambda w: quantile(X, 0.5, weights=w, **BY))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        only_run_time_knows(tf.constant(weights, "float32"))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({}, ValueError, "method='linear': must be one of 'floor', 'inverted_cdf' with weights"),
        ({"method": "median_unbiased"}, ValueError, "method='median_unbiased': must be one of"),
        ({"weights": W[:4], **BY}, ValueError, r"weights of shape \(4,\): must be that of x, \(6"),
        ({"weights": [W], **BY}, ValueError, r"weights of shape \(1, 6\): must be that of x"),
        ({"weights": W[:5], "axis": 0, **BY}, ValueError, r"\(6,\), or along axis=0 \(6,\)"),
        ({"weights": ["a"] * 6, **BY}, TypeError, "weights of dtype <U1: must be real numbers"),
        ({"weights": [1j] * 6, **BY}, TypeError, "weights of dtype complex128: must be real"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        quantile(X, 0.5, **{"weights": W, **call})
