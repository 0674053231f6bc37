"""nth_element against np.sort and TensorFlow's own op; and top_k_mean."""

import numpy as np
import pytest
import tensorflow as tf

from tailops.ops import nth_element, top_k_mean

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def values(dtype, shape, seed=0):
    rng = np.random.default_rng(seed)
    if dtype in FLOATS:
        return tf.cast(rng.standard_normal(shape), dtype)
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    x.flat[0], x.flat[-1] = limits.min, limits.max
    return tf.constant(x)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 50), (2, 3, 4), (5000,), (3, 20_000)])
@pytest.mark.parametrize("reverse", [False, True])
def test_every_dtype(dtype, shape, reverse):
    x = values(dtype, shape)
    ascending = np.sort(x.numpy(), axis=-1)
    for n in sorted({0, shape[-1] // 3, shape[-1] - 1}):
        value = nth_element(x, n, reverse)
        assert value.dtype == x.dtype
        expected = ascending[..., -1 - n if reverse else n]
        assert (value.numpy() == expected).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_as_tensorflow_with_gradient(reverse):
    """Value, and gradient split equally over ties."""
    rng = np.random.default_rng(0)
    for n in (0, 3, 39):
        x = tf.constant(rng.integers(-4, 4, (6, 40)).astype("float32"))
        up = tf.constant(rng.standard_normal(6).astype("float32"))
        results = []
        for select in (nth_element, lambda x, n, r: tf.raw_ops.NthElement(input=x, n=n, reverse=r)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = select(x, n, reverse)
            results.append((value, tape.gradient(value, x, up)))
        np.testing.assert_array_equal(results[0][0], results[1][0])
        np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-6)


def test_nan_is_the_result_of_its_row():
    x = np.float32([[1, np.nan, 3], [3, 2, 1]])
    np.testing.assert_array_equal(nth_element(x, 0), [np.nan, 1])


def test_no_gradient_for_integers():
    x = tf.Variable([3, 1, 2])
    with tf.GradientTape() as tape:
        value = nth_element(x, 1)
    assert tape.gradient(value, x) is None


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2), -1])
def test_top_k_mean(dtype, axis):
    x = values(dtype, (5, 6, 7))
    wide = np.float64(tf.cast(x, tf.float64))
    axes = (0, 1, 2) if axis is None else tuple(a % 3 for a in np.atleast_1d(axis))
    rest = [a for a in range(3) if a not in axes]
    rows = wide.transpose([*rest, *axes]).reshape([wide.shape[a] for a in rest] + [-1])
    for k in (1, 3, rows.shape[-1]):
        expected = np.sort(rows, axis=-1)[..., -k:].mean(-1)
        value = top_k_mean(x, k, axis)
        assert value.dtype == dtype
        tolerance = {"float16": 1e-3, "bfloat16": 1e-2}.get(dtype, 1e-5)
        np.testing.assert_allclose(tf.cast(value, tf.float64), expected, rtol=tolerance, atol=1e-2)
        kept = top_k_mean(x, k, axis, keepdims=True)
        assert kept.shape == np.sum(wide, axis=axes, keepdims=True).shape


def test_top_k_mean_gradient_and_ties():
    x = tf.constant([5.0, 1.0, 3.0, 3.0, 3.0, -np.inf])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = top_k_mean(x, 3)
    np.testing.assert_allclose(value, 11 / 3)
    # Two places among three elements that are equal: 2/3 of 1/3 each.
    np.testing.assert_allclose(tape.gradient(value, x), [1 / 3, 0, 2 / 9, 2 / 9, 2 / 9, 0])


def test_top_k_mean_of_nan_and_infinity():
    assert np.isnan(top_k_mean([1.0, np.nan], 1))
    assert top_k_mean([1.0, np.inf, 3.0], 2) == np.inf
    np.testing.assert_array_equal(top_k_mean([[1.0, np.nan], [1.0, 3.0]], 1, axis=1), [np.nan, 3])
