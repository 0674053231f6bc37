"""Bad input: an error that names the argument, its value and what is allowed; never a crash."""

import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels, build_info, reference, reference_selection
from tailops._options import RANK_RULES as METHODS
from tailops._tensorflow.library import library
from tailops.losses import PercentileLoss
from tailops.ops import (
    TailOptions,
    median,
    nanquantile,
    nth_element,
    percentile,
    quantile,
    tail_loss,
    top_k_mean,
)

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
    (lambda: quantile(["a"], 0.5), TypeError, "x of dtype string: must be one of float16"),
    (lambda: quantile(["a"], 0.5, method="lower"), TypeError, "x of dtype string: must be one of"),
    (lambda: nanquantile(X.astype(complex), 0.5), TypeError, "x of dtype complex128"),
    (lambda: percentile(X, 101), ValueError, r"q=101.0: must be in \[0, 100\]"),
    (lambda: nth_element(X, 0, axis=2), ValueError, r"axis=2: must be in \[-2, 2\) for input of 2"),
    (lambda: nth_element(X, 0, axis=None), TypeError, "axis=None: must be an integer"),
    (
        lambda: quantile(X, 0.5, return_indices=True),
        ValueError,
        "return_indices=True with method='linear': it may be between two elements",
    ),
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
    (lambda: top_k_mean(["a"], 1), TypeError, "x of dtype string"),
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
        (lambda: largest(tf.constant(7)), "k.*must be"),
        (lambda: largest(tf.constant(0)), "k.*must be"),
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
        return quantile(x, 0.5, axis=(0, 1))

    with pytest.raises(ValueError, match=r"axis=\(0, 1\) of x of unknown rank: must be one"):
        unknown(X)


def test_the_op_itself():
    def select(x=X, q=(0.5,), **attributes):
        attributes = {"weights": []} | attributes
        return library.tailops_select(x=x, q=tf.constant(q, tf.float64), **attributes)

    assert select()[0] == 2.5
    for bad, message in [
        (lambda: select(axis=[2]), r"axis=2: must be in \[-2, 2\)"),
        (lambda: select(axis=[0, 1]), "axis has 2 entries"),
        (lambda: select(weights=[X, X]), "weights is given 2 times"),
        (lambda: select(weights=[X[:1]]), r"weights of shape .* must have the shape|must be equal"),
        (lambda: select(weights=[X]), "method=.linear. with weights: must be .inverted_cdf."),
        (lambda: select(q=[[0.5]]), r"q of shape \[1,1\]: must be a scalar|at most rank 1"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            bad()
    value, state = select()
    for up, x, s, message in [
        (
            [value, value],
            X,
            state,
            r"upstream of shape \(2,\) must have the shape \(\), or, of a vector of one q, \(1,\)",
        ),
        (value, X, state[:, :3], r"state of shape \(1, 3\) must"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_select_grad(upstream=tf.reshape(up, [-1]), x=x, state=s)


@pytest.mark.parametrize("method", _kernels.INTERPOLATING_METHODS)
@pytest.mark.parametrize("how", [None, {}, {"jit_compile": True}], ids=["eager", "graph", "xla"])
def test_no_interpolation_of_integers(method, how):
    def select(x):
        q = tf.constant([0.5], tf.float64)
        return library.tailops_select(x=x, q=q, weights=[], method=method)

    function = select if how is None else tf.function(select, **how)
    discrete = [name for name in METHODS if name not in _kernels.INTERPOLATING_METHODS]
    allowed = ", ".join(map(repr, [*discrete, "rank", "rank_from_top"]))
    message = (
        f"method='{method}' of int32: interpolates, so of integers it must be one of {allowed}"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        function(tf.constant([1, 2, 3, 10]))
    with pytest.raises(ValueError, match=message):
        reference_selection.select(
            tf.constant([1, 2, 3, 10]), tf.constant([0.5], tf.float64), method=method, axis=None
        )


def test_the_reference_makes_nan_of_what_is_out_of_range():
    """As the native op does where it cannot wait to raise."""
    x = tf.constant([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]])
    q = tf.Variable([0.5, 1.5, -0.1, np.nan], dtype=tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = reference_selection.select(x, tf.convert_to_tensor(q), method="linear", axis=1)
    np.testing.assert_array_equal(value, [[2, 5], *[[np.nan] * 2] * 3])
    assert np.isnan(tape.gradient(value, x)).all()
    ranks = tf.constant([-1.0, 1.0, 7.0], tf.float64)
    for dtype, expected in (("int32", [1, 2, 3]), ("float32", [np.nan, 2, np.nan])):
        row = tf.constant([3, 1, 2], dtype)
        value = reference_selection.select(row, ranks, method="rank", axis=0)
        np.testing.assert_array_equal(value, expected)
    with pytest.raises(ValueError, match=r"input of shape \(2, 0\): there must be at least one"):
        reference_selection.select(x[:, :0], q[:1], method="linear", axis=1)


def test_what_is_not_dense():
    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    sparse = tf.sparse.from_dense([[1.0, 0.0]])
    for bad, message in [
        (ragged, r"{} is a RaggedTensor: must be dense\. Take its flat_values; or.*to_tensor"),
        (sparse, r"{} is a SparseTensor: must be dense\. tf\.sparse\.to_dense"),
    ]:
        for argument, call in [
            ("x", lambda x: quantile(x, 0.5)),
            ("x", median),
            ("x", lambda x: top_k_mean(x, 1)),
            ("input", lambda x: nth_element(x, 0)),
            ("q", lambda q: quantile(X, q)),
            ("n", lambda n: nth_element(X, n)),
            ("k", lambda k: top_k_mean(X, k)),
            ("y_true", lambda y: tail_loss(y, X)),
            ("y_pred", lambda y: tail_loss(X, y)),
            ("y_pred", lambda y: reference.tail_loss(X, y)),
            ("y_pred", lambda y: PercentileLoss()(X, y)),
            ("mask", lambda m: tail_loss(X, X, mask=m)),
        ]:
            with pytest.raises(TypeError, match="^" + message.format(argument)):
                call(bad)
        if build_info()["jax"]:
            from tailops.jax import percentile_loss as of_jax

            with pytest.raises(TypeError, match="^" + message.format("y_pred")):
                of_jax(X, bad)
    np.testing.assert_array_equal(quantile(ragged.flat_values, 0.5), 2)
    rows = nanquantile(ragged.to_tensor(np.nan), 0.5, axis=1)
    np.testing.assert_array_equal(rows, [1.5, 3])


@pytest.mark.parametrize(
    ("dtype", "name"), [(np.longdouble, np.dtype(np.longdouble).name), (object, "object")]
)
def test_dtypes_that_tensorflow_has_not(dtype, name):
    x = np.ones((2, 3), dtype)
    for argument, call in [
        ("x", lambda: quantile(x, 0.5)),
        ("x", lambda: nanquantile(x, 0.5)),
        ("x", lambda: top_k_mean(x, 1)),
        ("input", lambda: nth_element(x, 0)),
        ("y_pred", lambda: tail_loss(X, x)),
        ("y_true", lambda: tail_loss(x, X)),
        ("y_pred", lambda: reference.tail_loss(X, x)),
        ("y_pred", lambda: PercentileLoss()(X, x)),
        ("mask", lambda: tail_loss(X, X, mask=x)),
    ]:
        with pytest.raises(TypeError, match=f"^{argument} of dtype {name}: must be"):
            call()
    for argument, call in [
        ("x", lambda: quantile([None, 1.0], 0.5)),
        ("n", lambda: nth_element(X, None)),
        ("k", lambda: top_k_mean(X, [None])),
    ]:
        with pytest.raises(TypeError, match=f"^{argument} of dtype object: must be"):
            call()


def test_axes_of_every_kind():
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    one, pair = quantile(x, 0.5, axis=1), quantile(x, 0.5, axis=(0, -1))
    for axis in (tf.constant(1), np.int64(1), np.array(1), tf.Variable(1), [tf.constant(-2)]):
        np.testing.assert_array_equal(quantile(x, 0.5, axis=axis), one)
    for axis in (tf.constant([0, -1]), np.array([0, -1]), (tf.constant(0), np.int8(-1))):
        np.testing.assert_array_equal(quantile(x, 0.5, axis=axis), pair)
    in_graph = tf.function(lambda x: quantile(x, 0.5, axis=tf.constant(1)))
    np.testing.assert_array_equal(in_graph(x), one)

    by_axis = tf.function(lambda axis: top_k_mean(x, 1, axis=axis))
    with pytest.raises(TypeError, match="axis is a tensor that only run time knows: must be an"):
        by_axis(tf.constant(1))
    for axis in (tf.constant(1.0), tf.constant(True), np.array([0.0]), tf.constant([[1]])):
        with pytest.raises(TypeError, match="must be an integer, a tuple of integers or None"):
            quantile(x, 0.5, axis=axis)
    for axis in (tf.constant(1), np.int64(1), np.array(1)):
        assert TailOptions(axis=axis).axis == 1


def test_a_gradient_of_another_shape_is_told_the_values():
    for q, axis, shape in (
        (0.5, None, r"\(\)"),
        ([0.5], 1, r"\(1, 2\)"),
        ([0.1, 0.2], 1, r"\(2, 2\)"),
    ):
        x = tf.Variable(X)
        with tf.GradientTape() as tape:
            value = quantile(x, q, axis=axis)
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=shape):
            tape.gradient(value, x, tf.ones((7, 2)))
