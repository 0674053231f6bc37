"""Bad input: an error that names the argument, its value and what is allowed; never a crash."""

import numpy as np
import pytest
import tensorflow as tf

from tailops._op_library import library
from tailops.ops import median, nanquantile, nth_element, quantile, top_k_mean

X = np.arange(6.0, dtype="float32").reshape(2, 3)
CASES = [
    (lambda: quantile(X, 1.5), ValueError, r"q=1\.5: must be in \[0, 1\]"),
    (lambda: quantile(X, [0.5, -0.1]), ValueError, r"q=-0\.1: must be in"),
    (lambda: quantile(X, np.nan), ValueError, "q=nan: must be in"),
    (lambda: quantile(X, tf.constant(2.0)), ValueError, r"q=2\.0: must be in"),
    (lambda: quantile(X, "half"), TypeError, "q='half': must be real"),
    (lambda: quantile(X, 0.5j), TypeError, "q=0.5j: must be real"),
    (lambda: quantile(X, tf.constant("a")), TypeError, "q of dtype string"),
    (lambda: quantile(X, 0.5, axis=2), ValueError, r"axis=2: must be in \[-2, 2\)"),
    (lambda: quantile(X, 0.5, axis=(0, -3)), ValueError, r"axis=\(0, -3\): must be in \[-2, 2\)"),
    (lambda: quantile(X, 0.5, axis=(0, 0)), ValueError, "an axis is there twice"),
    (lambda: quantile(X, 0.5, axis=(1, -1)), ValueError, "an axis is there twice"),
    (lambda: quantile(X, 0.5, axis=1.0), TypeError, r"axis=1\.0: must be an integer"),
    (lambda: quantile(X, 0.5, axis="ab"), TypeError, "must be an integer"),
    (lambda: quantile(X, 0.5, method="median"), ValueError, "method='median': must be one of"),
    (lambda: quantile(X, 0.5, method="rank"), ValueError, "method='rank': must be one of"),
    (lambda: quantile(X.astype(int), 0.5), TypeError, "x of dtype int64: must be one of float16"),
    (lambda: quantile(X > 1, 0.5), TypeError, "x of dtype bool"),
    (lambda: nanquantile(X.astype(int), 0.5), TypeError, "x of dtype int64"),
    (lambda: median(X.astype("complex64")), TypeError, "x of dtype complex64"),
    (lambda: quantile(np.float32([]), 0.5), tf.errors.InvalidArgumentError, "at least one element"),
    (lambda: quantile(X[:, :0], 0.5, 1), tf.errors.InvalidArgumentError, r"shape \(2, 0\)"),
    (lambda: nth_element(X, 3), ValueError, r"n=3: must be in \[0, 2\]"),
    (lambda: nth_element(X, -1), ValueError, r"n=-1: must be in \[0, 2\]"),
    (lambda: nth_element(X, 1.0), TypeError, "n of dtype float32: must be an integer"),
    (lambda: nth_element(X, [1]), ValueError, r"n of shape \(1,\): must be a scalar"),
    (lambda: nth_element(1.0, 0), ValueError, r"input of shape \(\)"),
    (lambda: nth_element(["a"], 0), TypeError, "input of dtype string"),
    (lambda: nth_element([True], 0), TypeError, "input of dtype bool"),
    (lambda: top_k_mean(X, 0), ValueError, r"k=0: must be in \[1, 6\]"),
    (lambda: top_k_mean(X, 4, axis=1), ValueError, r"k=4: must be in \[1, 3\]"),
    (lambda: top_k_mean(X, 1.0), TypeError, "k of dtype float32"),
    (lambda: top_k_mean(X.astype(int), 1), TypeError, "x of dtype int64"),
]


@pytest.mark.parametrize(("call", "error", "message"), CASES)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_only_run_time_knows(jit_compile):
    element = tf.function(nth_element, jit_compile=jit_compile)
    fraction = tf.function(lambda q: quantile(X, q), jit_compile=jit_compile)
    largest = tf.function(lambda k: top_k_mean(X, k), jit_compile=jit_compile)
    np.testing.assert_array_equal(element(X, tf.constant(1)), [1, 4])
    assert fraction(tf.constant(1.0)) == 5
    assert largest(tf.constant(6)) == 2.5
    for bad, message in [
        (lambda: element(X, tf.constant(3)), r"n=3: must be in \[0, 3\), the size of the axis"),
        (lambda: element(X, tf.constant(-1)), "n=-1: must be in"),
        (lambda: fraction(tf.constant(1.25)), r"q=1\.25: must be in \[0, 1\]"),
        (lambda: fraction(tf.constant(np.nan)), r"q=-?nan: must be in \[0, 1\]"),
        (lambda: largest(tf.constant(7)), "n=6: must be in"),
        (lambda: largest(tf.constant(0)), "n=-1: must be in"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            bad()


def test_unknown_shapes():
    @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec((), tf.int32)])
    def element(x, n):
        return nth_element(x, n)

    np.testing.assert_array_equal(element(X, 1), [1, 4])
    with pytest.raises(tf.errors.InvalidArgumentError, match="axis=-1: must be in"):
        element(tf.constant(1.0), 0)

    @tf.function(input_signature=[tf.TensorSpec((None, 2, None))])
    def fraction(x):
        return quantile(x, 0.5, axis=(1, 2), keepdims=True), quantile(x, [0.5], axis=(0, 2))

    x = np.random.default_rng(0).standard_normal((3, 2, 5)).astype("float32")
    kept, others = fraction(x)
    np.testing.assert_allclose(kept, np.quantile(x, 0.5, axis=(1, 2), keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(others, np.quantile(x, [0.5], axis=(0, 2)), rtol=1e-6)

    @tf.function(input_signature=[tf.TensorSpec(None)])
    def unknown(x):
        return quantile(x, 0.5)

    with pytest.raises(ValueError, match="x of unknown rank"):
        unknown(X)


def test_the_op_itself():
    def select(x=X, q=(0.5,), **attributes):
        return library.tailops_select(x=x, q=tf.constant(q, tf.float64), **attributes)

    assert select()[0] == 2.5
    for bad, message in [
        (lambda: select(axis=[2]), r"axis=2: must be in \[-2, 2\)"),
        (lambda: select(axis=[0, 1]), "axis has 2 entries"),
        (lambda: select(q=[[0.5]]), r"q of shape \[1,1\]: must be a scalar|at most rank 1"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            bad()
    value, state = select()
    for up, x, s, message in [
        ([value, value], X, state, r"upstream of shape \(2,\) must"),
        (value, X, state[:, :3], r"state of shape \(1, 3\) must"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_select_grad(upstream=tf.reshape(up, [-1]), x=x, state=s)
