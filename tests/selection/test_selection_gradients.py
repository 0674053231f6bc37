"""Gradients: against finite differences, the reference, and what the contract says of ties."""

import kinds
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops import reference_selection
from tailops._options import RANK_RULES as METHODS
from tailops.ops import nanquantile, quantile, top_k_mean

QS = [0.0, 0.2, 0.5, 0.77, 1.0]


def gradient(function, x, upstream=None):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x, upstream)


@pytest.mark.parametrize("method", quick(*kinds.METHODS[:-1], of=METHODS))
@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 2)])
def test_finite_differences(method, axis):
    rng = np.random.default_rng(0)
    x = rng.permutation(np.arange(60) / 10).reshape(3, 4, 5)  # distinct
    step = 1e-4
    up = rng.standard_normal(quantile(x, QS, axis, method).shape)
    slopes = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        values = []
        for change in (step, -step):
            moved = x.copy()
            moved[i] += change
            values.append(np.sum(up * quantile(moved, QS, axis, method).numpy()))
        slopes[i] = (values[0] - values[1]) / (2 * step)
    ours = gradient(lambda x: quantile(x, QS, axis, method), x, tf.constant(up))
    np.testing.assert_allclose(ours, slopes, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("method", quick(*kinds.METHODS[:-1], of=METHODS))
@pytest.mark.parametrize(("shape", "axis"), [((3000,), None), ((4, 70), 1), ((70, 5), 0)])
def test_reference_with_ties(dtype, method, shape, axis):
    rng = np.random.default_rng(0)
    x = tf.cast(rng.integers(-8, 8, shape) / 4, dtype)
    up = tf.cast(rng.standard_normal(quantile(x, QS, axis, method).shape), dtype)
    q = tf.constant(QS, tf.float64)
    ours = gradient(lambda x: quantile(x, QS, axis, method), x, up)
    expected = gradient(lambda x: reference_selection.select(x, q, method=method, axis=axis), x, up)
    assert ours.dtype == dtype
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 1e-5)
    ours, expected = (tf.cast(t, tf.float64).numpy() for t in (ours, expected))
    np.testing.assert_allclose(ours, expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("n", [50, 5000, 100_000])
def test_split_equally_over_ties(n):
    rng = np.random.default_rng(0)
    x = rng.choice([1.0, 2.0, 3.0], n)
    slope = gradient(lambda x: quantile(x, 0.5), x).numpy()
    equal = x == np.median(x)
    np.testing.assert_allclose(slope[equal], 1 / equal.sum())
    assert not slope[~equal].any()
    # An interpolation: a quarter to the one below, three to those above.
    slope = gradient(lambda x: quantile(x, 0.75), [1.0, 2.0]).numpy()
    np.testing.assert_allclose(slope, [0.25, 0.75])
    np.testing.assert_allclose(gradient(lambda x: quantile(x, 0.25), [7.0, 7.0]), [0.5, 0.5])


def test_adds_up_to_the_upstream():
    x = np.random.default_rng(0).standard_normal((200, 31)).astype("float32")
    for axis in (0, 1):
        slope = gradient(lambda x, axis=axis: quantile(x, [0.3, 0.9], axis), x)
        np.testing.assert_allclose(tf.reduce_sum(slope, axis), 2, rtol=1e-5)


def test_infinite_elements():
    x = [np.inf, 1.0, -np.inf]
    np.testing.assert_array_equal(gradient(lambda x: quantile(x, 1.0), x), [1, 0, 0])
    np.testing.assert_array_equal(gradient(lambda x: quantile(x, 0.0), x), [0, 0, 1])


@pytest.mark.parametrize("axis", [1, 0])
def test_nan(axis):
    """NaN in all of its group, zero at what is ignored."""
    x = np.array([[1.0, np.nan, 3.0], [3.0, 2.0, 1.0]])
    x = x if axis == 1 else x.T
    slope = gradient(lambda x: quantile(x, 0.5, axis), x).numpy()
    slope = slope if axis == 1 else slope.T
    np.testing.assert_array_equal(slope, [[np.nan] * 3, [0, 1, 0]])
    slope = gradient(lambda x: nanquantile(x, 0.5, axis), x).numpy()
    slope = slope if axis == 1 else slope.T
    np.testing.assert_array_equal(slope, [[0.5, 0, 0.5], [0, 1, 0]])
    slope = gradient(lambda x: nanquantile(x, 0.5, axis), np.full((3, 3), np.nan))
    np.testing.assert_array_equal(slope, np.zeros((3, 3)))
    assert np.isnan(gradient(lambda x: top_k_mean(x, 1), [1.0, np.nan])).all()


def test_no_gradient_by_q():
    q = tf.Variable([0.5])
    with tf.GradientTape() as tape:
        value = quantile([1.0, 2.0], q)
    assert tape.gradient(value, q) is None


def test_no_second_derivative():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = quantile(x * x, 0.5)
        slope = inner.gradient(value, x)
    with pytest.raises((NotImplementedError, LookupError)):
        outer.gradient(slope, x)
