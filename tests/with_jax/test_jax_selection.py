"""`tailops.jax`'s selection: NumPy's values, the kernels' bits, what is refused."""

import numpy as np
import pytest
from processes import run_python

from tailops import _kernels, build_info, kernels
from tailops._options import RANK_RULES

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402
from tailops.jax._arguments import fractions  # noqa: E402

DTYPES = ["float16", "bfloat16", "float32", "float64"]
DISCRETE = [m for m in RANK_RULES if m not in _kernels.INTERPOLATING_METHODS]
AXES = [None, 0, -1, (0, 2), (2, 1), ()]
QS = (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.77, 1.0)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))


def numpys(x, q, axis=None, method="linear", keepdims=False, ignore_nan=False):
    """NumPy's, and the method that it lacks."""
    function = np.nanquantile if ignore_nan else np.quantile
    if method != "floor":
        return function(x, q, axis=axis, method=method, keepdims=keepdims)
    n = x.size if axis is None else np.prod([x.shape[a] for a in np.atleast_1d(axis).astype(int)])
    ranks = np.minimum(np.floor(n * np.asarray(q)), n - 1)
    return function(x, ranks / max(n - 1, 1), axis=axis, method="nearest", keepdims=keepdims)


def of_every_method(x, q=QS, methods=RANK_RULES, **how):
    """All in one compilation."""
    return jax.jit(lambda x: {m: tj.quantile(x, q, method=m, **how) for m in methods})(x)


def assert_same_bits(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert actual.tobytes() == expected.tobytes()


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES)
def test_numpys_values(axis, keepdims):
    for method, found in of_every_method(X, axis=axis, keepdims=keepdims).items():
        expected = numpys(X, QS, axis, method, keepdims)
        np.testing.assert_allclose(found, expected, rtol=1e-14, err_msg=method)
        assert found.dtype == X.dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_the_kernels(dtype):
    """Values and gradients, with ties."""
    x = (RNG.integers(-9, 9, (6, 40)) / 4).astype(dtype)
    upstream = RNG.standard_normal((len(QS), 6)).astype(dtype)

    def step(x, method):
        values, pull_back = jax.vjp(lambda x: tj.quantile(x, QS, 1, method), x)
        return values, *pull_back(upstream)

    for method in ("linear", "nearest", "hazen", "floor"):
        value, state = kernels.select_forward(x, QS, method=method, axis=1)
        found = jax.jit(step, static_argnums=1)(x, method)
        assert_same_bits(found[0], value)
        assert_same_bits(found[1], kernels.select_backward(upstream, x, state, axis=1))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 33, 70])
def test_sizes_nan_and_infinities(n):
    x = RNG.standard_normal((4, n)).astype("float32")
    x[1, 0], x[2, : n // 2 + 1], x[3, n // 2] = np.inf, -np.inf, np.nan
    without_nan = jax.jit(lambda x: tj.nanquantile(x, QS, 1))(x)
    for method, found in of_every_method(x, axis=1).items():
        expected = numpys(x[0].astype(float), QS, None, method)
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6, atol=1e-7, err_msg=method)
        assert_same_bits(found, kernels.select(x, QS, method=method, axis=1))
        assert np.isnan(found[:, 3]).all()
    assert_same_bits(without_nan, kernels.select(x, QS, axis=1, ignore_nan=True))


def test_other_functions():
    x = X.astype("float32")
    x[0, 0, 0] = np.nan
    percents = (0.0, 12.5, 99.9, 100)
    for ours, theirs in [
        (tj.percentile(X, percents, 1), np.percentile(X, percents, 1)),
        (tj.nanpercentile(x, percents, 1), np.nanpercentile(x.astype(float), percents, 1)),
        (tj.median(X, (0, 2), keepdims=True), np.median(X, (0, 2), keepdims=True)),
        (tj.nanmedian(x, -1), np.nanmedian(x.astype(float), -1)),
        (tj.nanquantile(x, 0.3, 0, "hazen", True), numpys(x, 0.3, 0, "hazen", True, True)),
        (tj.nth_element(X, 2), np.sort(X)[..., 2]),
        (tj.nth_element(X, jnp.uint8(0), reverse=True, axis=0), X.max(0)),
        (tj.top_k_mean(X, 4, (0, 1)), np.sort(X.reshape(12, 5), 0)[-4:].mean(0)),
        (tj.top_k_mean(X, 7, keepdims=True), np.sort(X, None)[-7:].mean().reshape(1, 1, 1)),
        (tj.quantile([3, 1, 2], 0.5), 2.0),
    ]:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
        assert ours.shape == np.shape(theirs)


@pytest.mark.parametrize("x64_mode", [False, True])
def test_integers_and_booleans(x64_mode):
    jax.config.update("jax_enable_x64", x64_mode)
    wide = "float64" if x64_mode else "float32"
    for dtype in ("int8", "uint16", "int32", "uint32", "bool", *(["int64"] * x64_mode)):
        x = RNG.integers(0, 2 if dtype == "bool" else 99, (4, 9)).astype(dtype)
        for method, found in of_every_method(x, axis=1).items():
            assert found.dtype == (dtype if method in DISCRETE else wide)
            expected = numpys(x.astype(float), QS, 1, method)
            np.testing.assert_allclose(found.astype(float), expected, rtol=1e-6, err_msg=method)
        assert tj.top_k_mean(x, 2, 1).dtype == wide
    large = jnp.array([2**31 - 1, 2**31 - 2, -(2**31)], jnp.int32)
    assert int(tj.nth_element(large, 1)) == 2**31 - 2
    slope = jax.grad(lambda y: tj.quantile(y.astype(int), 0.5, method="lower") * 1.0)(X)
    assert not slope.any()


def test_shapes_of_q():
    for q in (0.3, [0.3], np.full((2, 3), 0.3), jnp.full((2, 1, 2), 0.25), [], np.zeros((0, 2))):
        for keepdims in (False, True):
            found = jax.jit(lambda x, q=q, k=keepdims: tj.quantile(x, q, 1, keepdims=k))(X)
            expected = np.quantile(X, np.ravel(np.asarray(q, float)), 1, keepdims=keepdims)
            expected = expected.reshape(*np.shape(q), *expected.shape[1:])
            np.testing.assert_allclose(found, expected)
            assert found.shape == expected.shape
    assert jax.grad(lambda x: tj.quantile(x, []).sum())(X).shape == X.shape
    assert tj.quantile(np.zeros((0, 5)), [0.5, 0.7], 1).shape == (2, 0)
    assert jax.jacfwd(lambda x: tj.quantile(x, 0.5, 1))(np.zeros((0, 5))).shape == (0, 0, 5)


@pytest.mark.parametrize("x64_mode", [False, True])
def test_q_keeps_its_bits_and_may_be_traced(x64_mode):
    """0.95 in float32 is a little less: of 200 the element before."""
    jax.config.update("jax_enable_x64", x64_mode)
    x = np.arange(200, dtype="float32")
    assert float(jax.jit(lambda x: tj.quantile(x, 0.95, method="floor"))(x)) == 190.0
    traces = []

    @jax.jit
    def traced(x, q):
        traces.append(1)
        return tj.quantile(x, q, method="linear"), tj.percentile(x, 100 * q)

    for q in (np.array([[0.25, 0.5]]), np.array([[0.1, 1.0]])):
        given = q.astype("float64" if x64_mode else "float32")
        ours, of_percents = traced(x, given)
        np.testing.assert_allclose(ours, np.quantile(x.astype(float), given), rtol=1e-6)
        np.testing.assert_allclose(of_percents, ours, rtol=1e-5)
    assert len(traces) == 1
    for q in (jnp.bfloat16(0.5), jnp.float16(0.5), jnp.int8(1), jnp.uint32(0)):
        ours = float(jax.jit(tj.quantile)(x, q))
        assert ours == np.quantile(x, float(q))
    several = jax.jit(lambda q: tj.quantile(x, [q, 0.5]))(0.25)
    np.testing.assert_allclose(several, [49.75, 99.5])


V = np.float32([1.0, 2.0, 3.0])
WRONG = [
    (lambda: tj.quantile(V, 1.5), ValueError, r"q=1\.5: must be in \[0, 1\]"),
    (lambda: tj.quantile(V, [0.1, np.nan]), ValueError, r"q=nan: must be in \[0, 1\]"),
    (lambda: tj.percentile(V, -1), ValueError, r"q=-1\.0: must be in \[0, 100\]"),
    (lambda: tj.quantile(V, "0.5"), TypeError, r"q='0\.5': must be real numbers"),
    (lambda: tj.quantile(V, 1j), TypeError, "q=1j: must be real"),
    (lambda: jax.jit(tj.quantile)(V, V > 2), TypeError, "q of dtype bool: must be one of float16"),
    (lambda: tj.quantile(V, 0.5, method="median"), ValueError, "method='median'.*'floor', 'lower'"),
    (lambda: tj.quantile(V, 0.5, 1), ValueError, r"axis=1: must be in \[-1, 1\) for x of 1"),
    (lambda: tj.quantile(V, 0.5, (0, -1)), ValueError, r"axis=\(0, -1\): an axis is there twice"),
    (lambda: tj.quantile(V, 0.5, 0.0), TypeError, r"axis=0\.0: must be an integer, a tuple"),
    (lambda: tj.quantile(V, 0.5, keepdims=1), TypeError, "keepdims=1: must be a bool, not int"),
    (lambda: tj.quantile(V + 1j, 0.5), TypeError, "x of dtype complex64: must be one of float16"),
    (lambda: tj.quantile(V.astype(object), 0.5), TypeError, "x of dtype object: must be one of"),
    (lambda: tj.quantile(V[:0], 0.5), ValueError, r"shape \(0,\): there must be at least one"),
    (lambda: tj.nth_element(V, 3), ValueError, r"n=3: must be in \[0, 2\]"),
    (lambda: tj.nth_element(V, 1.0), TypeError, "n of dtype float64: must be an integer"),
    (lambda: tj.nth_element(V, [1]), ValueError, r"n of shape \(1,\): must be a scalar"),
    (lambda: tj.nth_element(V[0], 0), ValueError, r"input of shape \(\): must have at least one"),
    (lambda: tj.nth_element(V, 0, axis=2), ValueError, r"axis=2: must be in \[-1, 1\) for input"),
    (lambda: tj.nth_element(V > 1, 0), TypeError, "input of dtype bool: must be one of float16"),
    (lambda: tj.top_k_mean(V, 0), ValueError, r"k=0: must be in \[1, 3\]"),
    (lambda: tj.top_k_mean(V, True), TypeError, "k of dtype bool: must be an integer"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_errors_where_only_run_time_knows():
    for function, given, message in [
        (tj.quantile, 1.5, r"q=1\.5: must be in \[0, 1\]"),
        (tj.quantile, np.nan, "q=-?nan: must be"),
        (tj.nth_element, 3, r"n=3: must be in \[0, 3\), the size of the axis"),
        (tj.top_k_mean, 4, "k=4: must be at most"),
    ]:
        with pytest.raises((RuntimeError, ValueError), match=message):
            jax.block_until_ready(jax.jit(function)(V, given))


def test_errors_inside_a_handler():
    """Python lets none of these through: a call that is made by hand."""
    zero, one = np.uint32([0, 0]), np.float32(1)

    def call(x=V, q=zero, dtype=V.dtype, columns=8, **changed):
        results = jax.ShapeDtypeStruct((), dtype), jax.ShapeDtypeStruct((1, columns), jnp.uint32)
        attributes = {"method": np.int64(0), "ignore_nan": np.int64(0), **changed}
        return jax.ffi.ffi_call("tailops_select", results)(x, q, **attributes)

    assert 2 * _kernels.SELECTION_COLUMNS == 8
    assert call()[0] == 1.0
    assert call(q=np.float64(1.0))[0] == 3.0
    for changed, message in [
        ({"method": np.int64(99)}, r"method=99: must be in \[0, "),
        ({"axis": np.int64(1)}, r"axis=1: must be in \[-1, 1\)"),
        (
            {"q": np.uint32([0, 0, 0])},
            r"q of shape \(3,\) in words: its last axis must have",
        ),
        ({"q": np.uint32(0)}, r"q of shape \(\) in words"),
        ({"q": np.float32(0.5)}, "q of dtype F32: must be F64"),
        ({"q": np.zeros(1)}, r"value of shape \(\) must have the shape \(1,\)"),
        ({"dtype": np.float16}, "value of dtype F16: must be F32, like the others"),
        ({"columns": 6}, "state of 24 bytes: must have 32, 32 for each of 1 rows"),
        (
            {"method": np.int64(5), "x": np.int32([1]), "dtype": np.int32},
            "of int32: interpolates",
        ),
    ]:
        with pytest.raises((RuntimeError, ValueError), match=f"tailops_select: .*{message}"):
            jax.block_until_ready(call(**changed))

    def gradient(state, upstream=one):
        made = jax.ffi.ffi_call("tailops_select_grad", jax.ShapeDtypeStruct((3,), V.dtype))
        attributes = {"method": np.int64(0), "ignore_nan": np.int64(0)}
        return jax.block_until_ready(made(upstream, V, state, **attributes))

    _, state = call()
    assert gradient(state).tolist() == [1.0, 0.0, 0.0]
    for wrong in (lambda: gradient(state[:, :6]), lambda: gradient(state, V)):
        with pytest.raises((RuntimeError, ValueError), match=r"select_grad: (state|upstream)"):
            wrong()


def test_neither_tensorflow_nor_keras_is_imported():
    run_python(
        """
        import sys
        import tailops
        assert tailops.jax.quantile([4.0, 1.0, 2.0], 0.5) == 2.0
        assert "tensorflow" not in sys.modules and "keras" not in sys.modules
        """
    )


def test_traced_percentages_are_rounded_once():
    q = np.random.default_rng(0).random(10_000).astype(jnp.result_type(float)) * 100
    traced = jax.jit(lambda q: fractions(q, 100))(q)
    np.testing.assert_array_equal(traced, q / q.dtype.type(100))
