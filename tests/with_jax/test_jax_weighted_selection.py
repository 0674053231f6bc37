"""`tailops.jax`'s selection by weights: NumPy's values, derivatives, `vmap`, what is refused."""

import itertools
import re
import warnings

import numpy as np
import pytest
from quick import quick

from tailops import _kernels, build_info, kernels

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

QS = (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.77, 1.0)
METHOD = "inverted_cdf"
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))
W = RNG.uniform(size=X.shape)


def numpys(x, q, axis, weights, ignore_nan=False, keepdims=False):
    function = np.nanquantile if ignore_nan else np.quantile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(x, q, axis, weights=weights, method=METHOD, keepdims=keepdims)


def ours(x, q, axis=None, weights=None, **how):
    return tj.quantile(x, q, axis, METHOD, weights=weights, **how)


def shares_of(x, value, weights):
    """What a vector's elements have of the gradient."""
    counts = weights * (x == value)
    return counts / counts.sum()


def calls_in(function, *arguments):
    text = jax.jit(function).lower(*arguments).compile().as_text()
    names = ("tailops_select", "tailops_select_grad")
    calls = [text.count(f'custom_call_target="{name}"') for name in names]
    return calls, bool(re.search(r"\bwhile\(", text))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 1), (0, 1, 2)])
def test_numpys_values(axis, keepdims):
    expected = numpys(X, QS, axis, W, keepdims=keepdims)
    along = () if axis is None else tuple(np.atleast_1d(axis))
    given = {"whole": W}
    if along:
        of_axes = RNG.uniform(size=[X.shape[a] for a in along])
        given["of the axes"] = of_axes
    for name, weights in given.items():
        if name != "whole":
            expected = numpys(X, QS, axis, weights, keepdims=keepdims)
        for step in (
            ours,
            lambda x, q, axis, w, **k: jax.jit(lambda w: ours(x, q, axis, w, **k))(w),
        ):
            found = step(X, QS, axis, weights, keepdims=keepdims)
            np.testing.assert_array_equal(found, expected, err_msg=name)
            assert found.dtype == X.dtype


@pytest.mark.parametrize("method", _kernels.METHODS_OF_WEIGHTS)
@pytest.mark.parametrize("dtype", ["int8", "uint32", "bool", "float16", "float32", "float64"])
def test_whole_weights_are_repeats(dtype, method):
    """Of any real dtype, of NumPy, JAX and Python."""
    x = RNG.standard_normal(30).astype("float32")
    weights = RNG.integers(0, 2 if dtype == "bool" else 5, 30).astype(dtype)
    expected = tj.quantile(np.repeat(x, weights.astype(int)), QS, method=method)
    for given in (weights, weights.tolist(), jnp.asarray(weights)):
        np.testing.assert_array_equal(tj.quantile(x, QS, method=method, weights=given), expected)
    found = jax.jit(lambda w: tj.quantile(x, QS, method=method, weights=w))(weights)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int16", "uint8", "bool"])
def test_every_dtype_of_x(dtype):
    x = (4 * X).astype(dtype)
    found = ours(x, QS, 1, W)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.astype(float), numpys(x.astype(float), QS, 1, W))


@pytest.mark.parametrize("x64_mode", [False, True])
def test_weights_keep_their_bits(x64_mode):
    """0.1 + 0.2 + 0.3 is as much as 0.6 in float64 or is not; in float32 it would be otherwise."""
    jax.config.update("jax_enable_x64", x64_mode)
    x = np.arange(4, dtype="float32")
    large = 2.0**24
    for weights in ([large, 1.0, large, 1.0], [0.1, 0.2, 0.3, 0.6], [1e300, 1e290, 1e300, 0.0]):
        q = np.cumsum(weights) / np.sum(weights)
        expected = numpys(x.astype(float), q[:3], None, weights)

        def function(x, q=q[:3], weights=weights):
            return ours(x, q, weights=weights)

        np.testing.assert_array_equal(function(x), expected)
        np.testing.assert_array_equal(jax.jit(function)(x), expected)
        rows = jax.vmap(function)(np.stack([x, x + 1]))
        np.testing.assert_array_equal(rows, [expected, expected + 1])
        slope = jax.jacrev(function)(x)
        np.testing.assert_allclose(slope, x == expected[:, None], atol=1e-5)
    whole = np.int32([2**24, 1, 2**24, 1])
    found = jax.jit(lambda w: ours(x, 0.5, weights=w))(whole)
    assert found == numpys(x.astype(float), 0.5, None, whole)


def test_the_kernels_bits():
    x = RNG.standard_normal((4, 700)).astype("float32")
    weights = RNG.uniform(size=x.shape).astype("float32")
    for ignore_nan, function in ((False, tj.quantile), (True, tj.nanquantile)):
        expected = kernels.select(
            x, QS, method=METHOD, axis=1, ignore_nan=ignore_nan, weights=weights
        )
        found = jax.jit(lambda *a, f=function: f(a[0], QS, 1, METHOD, weights=a[1]))(x, weights)
        assert np.asarray(found).tobytes() == expected.tobytes()


def test_nan_ties_and_weights_of_0():
    x = np.array([1.0, 4.0, 3.0, 4.0, np.nan, 0.0])
    weights = np.array([0.1, 0.3, 0.05, 0.0, 0.2, 0.0])
    assert np.isnan(ours(x, QS, weights=weights)).all()
    found = tj.nanquantile(x, QS, method=METHOD, weights=weights)
    np.testing.assert_array_equal(found, numpys(x, QS, None, weights, ignore_nan=True))
    assert 0.0 not in found
    percents = tj.nanpercentile(x, 50, method=METHOD, weights=weights)
    assert percents == tj.percentile(x[:4], 50, method=METHOD, weights=weights[:4]) == 4.0
    nothing = tj.nanquantile(np.full(3, np.nan), 0.5, method=METHOD, weights=weights[:3])
    assert np.isnan(nothing)
    slope = jax.grad(lambda x: tj.nanquantile(x, 0.5, method=METHOD, weights=weights))(x)
    np.testing.assert_allclose(slope, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert np.isnan(jax.grad(lambda x: ours(x, 0.5, weights=weights))(x)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_the_gradient_is_split_by_weights(dtype):
    x = (RNG.integers(-3, 3, 40) / 4).astype(dtype)
    weights = RNG.uniform(0, 3, 40)
    weights[::5] = 0
    direction = RNG.standard_normal(40).astype(dtype)
    eps = float(jnp.finfo(dtype).eps)

    def function(x, weights):
        return ours(x, QS, weights=weights)

    for given in (weights, weights.astype("float32"), 1e6 * weights, 1e-6 * weights):
        rows = jax.jit(jax.jacrev(function))(x, given)
        value, tangent = jax.jit(lambda x, d, w: jax.jvp(lambda x: function(x, w), (x,), (d,)))(
            x, direction, given
        )
        expected = [shares_of(x, v, weights) for v in value]
        np.testing.assert_allclose(rows.astype(float), expected, atol=4 * eps)
        moved = np.array(expected) @ direction.astype(float)
        np.testing.assert_allclose(tangent.astype(float), moved, atol=8 * eps)
        assert rows.dtype == tangent.dtype == dtype
        forward = jax.jacfwd(function)(x, given).astype(float)
        np.testing.assert_allclose(forward, expected, atol=4 * eps)


def test_finite_differences_and_hessian():
    from jax.test_util import check_grads

    x = RNG.permutation(np.arange(60) / 10).reshape(3, 4, 5)  # distinct
    for axis in (None, 1, (0, 2)):

        def function(x, axis=axis):
            return ours(x, [[0.2, 0.5], [0.77, 0.9]], axis, W) ** 2

        check_grads(function, (x,), order=2, modes=["fwd", "rev"], eps=1e-4)


def test_there_is_no_gradient_by_weights():
    assert not jax.grad(lambda w: ours(X, 0.3, weights=w))(W).any()
    assert jax.jvp(lambda w: ours(X, 0.3, weights=w), (W,), (W,))[1] == 0


MAPPED = [m for m in itertools.product([True, False], repeat=3) if any(m)]


@pytest.mark.parametrize("axis", quick(None, -1, of=[None, 0, -1]))
@pytest.mark.parametrize(
    ("mapped", "dtype"), list(zip(MAPPED, itertools.cycle(["int32", "float32"]), strict=False))
)
def test_vmap_over_any_of_x_weights_and_q(mapped, dtype, axis):
    """Of whole numbers the operand is words."""
    x = RNG.standard_normal((6, 5, 4)).astype("float32")
    weights = RNG.integers(1, 9, x.shape).astype(dtype)
    q = RNG.uniform(size=(6, 2)).astype("float32")
    direction = RNG.standard_normal(x.shape).astype("float32")
    in_axes = tuple(0 if has else None for has in mapped)
    arguments = [a if has else a[0] for a, has in zip((x, weights, q), mapped, strict=True)]

    def one(x, weights, q, direction):
        def function(x):
            return ours(x, q, axis, weights)

        value, pull_back = jax.vjp(function, x)
        return value, *pull_back(value + 1), jax.jvp(function, (x,), (direction,))[1]

    found = jax.jit(jax.vmap(one, (*in_axes, 0)))(*arguments, direction)
    one = jax.jit(one)
    for i in range(6):
        parts = [a[i] if has else a for a, has in zip(arguments, mapped, strict=True)]
        np.testing.assert_array_equal(found[0][i], numpys(parts[0], parts[2], axis, parts[1]))
        for slices, expected in zip(found, one(*parts, direction[i]), strict=True):
            np.testing.assert_allclose(slices[i], expected, rtol=1e-5, atol=1e-6)
    mapped_values = jax.vmap(lambda x, w, q: ours(x, q, axis, w), in_axes)
    is_loop = mapped[2] and (mapped[0] or mapped[1])
    assert calls_in(mapped_values, *arguments) == ([1, 0], is_loop)
    slopes = jax.vmap(jax.grad(lambda x, w, q: ours(x, q, axis, w).sum()), in_axes)
    assert calls_in(slopes, *arguments) == ([1, 1], is_loop)


def test_vmap_twice_and_over_nothing():
    x, weights = RNG.standard_normal((3, 9, 5)), RNG.uniform(size=(9, 5))
    rows = jax.vmap(lambda x, w: ours(x, 0.3, weights=w), (0, None))
    found = jax.vmap(rows, (2, 1))(x, weights)
    for i, j in np.ndindex(5, 3):
        assert found[i, j] == numpys(x[j, :, i], 0.3, None, weights[:, i])
    empty = jax.vmap(lambda x, w: ours(x, [0.3], weights=w))(np.zeros((0, 5)), np.zeros((0, 5)))
    assert empty.shape == (0, 1)


def test_inside_shard_map():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("i",))
    rows = jax.sharding.PartitionSpec("i")

    def shares(x, weights):
        def function(x):
            return ours(x, [0.3, 0.7], weights=weights).sum()

        step = *jax.value_and_grad(function)(x), jax.jvp(function, (x,), (x,))[1]
        return jax.tree.map(jnp.atleast_1d, step)

    x, weights = RNG.standard_normal(7), RNG.uniform(size=7)
    mapped = jax.jit(jax.shard_map(shares, mesh=mesh, in_specs=(rows, rows), out_specs=rows))
    for found, expected in zip(mapped(x, weights), shares(x, weights), strict=True):
        np.testing.assert_allclose(found, expected)


V, M = np.float32([[1.0, 2.0, 3.0]]), {"method": METHOD}
WRONG = [
    (lambda: tj.quantile(V, 0.5, weights=V), ValueError, r"method='linear'.*with weights"),
    (lambda: tj.quantile(V, 0.5, weights=-V, **M), ValueError, r"weights: one is -1\.0: must be"),
    (lambda: tj.quantile(V, 0.5, weights=V / 0, **M), ValueError, "weights: one is inf: must be"),
    (
        lambda: tj.quantile(V, 0.5, weights=[1, 2], **M),
        ValueError,
        r"weights of shape \(2,\): must",
    ),
    (
        lambda: tj.quantile(V, 0.5, 1, weights=[1, 2], **M),
        ValueError,
        r"weights of shape \(2,\): must be that of x, \(1, 3\), or along axis=1 \(3,\)",
    ),
    (
        lambda: tj.quantile(V, 0.5, weights=jnp.ones(2), **M),
        ValueError,
        r"weights of shape \(2,\): must be that of x, \(1, 3\)",
    ),
    (
        lambda: tj.quantile(V, 0.5, weights="1", **M),
        TypeError,
        "weights of dtype <U1: must be real",
    ),
    (lambda: tj.quantile(V, 0.5, weights=V * 1j, **M), TypeError, "weights of dtype complex64"),
    (lambda: ours(V, 0.5, None, jnp.asarray(V) * 1j), TypeError, "weights of dtype complex64"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_errors(call, error, message):
    with np.errstate(divide="ignore"), pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -1.0, 1.0], r"weights: must be finite and at least 0, and .*one is -1"),
        ([1.0, np.inf, 1.0], "weights: must be finite and at least 0, and .*one is inf"),
        ([1.0, np.nan, 1.0], r"weights: must be finite and at least 0, and .*one is -?nan"),
        ([0.0, 0.0, 0.0], "weights of a group are all 0"),
    ],
)
def test_errors_where_only_run_time_knows(weights, message):
    step = jax.jit(lambda w: ours(V[0], 0.5, weights=w))
    for dtype in ("float32", "float64"):
        with pytest.raises((RuntimeError, ValueError), match=f"tailops_select: .*{message}"):
            jax.block_until_ready(step(np.array(weights, dtype)))


def test_errors_inside_a_handler():
    """Python lets none of these through: a call that is made by hand."""
    x, half = V[0], np.float64(0.5)

    def call(weights, method=6):
        results = jax.ShapeDtypeStruct((), x.dtype), jax.ShapeDtypeStruct((1, 8), jnp.uint32)
        attributes = {"method": np.int64(method), "ignore_nan": np.int64(0)}
        return jax.ffi.ffi_call("tailops_select", results)(x, half, *weights, **attributes)

    assert call([x])[0] == call([x.astype(float)])[0] == 2.0
    words = np.float64(x)[:, None].view(np.int32)
    assert call([words])[0] == 2.0
    for weights, message in [
        ([x[:2]], r"weights of shape \(2,\) must have the shape \(3,\)"),
        ([words[:, :1]], r"weights of shape \(3, 1\) must have the shape \(3, 2\)"),
        ([x.astype(np.int64)], "weights of dtype S64: must be F32 or F64"),
        ([x, x], "weights"),
    ]:
        with pytest.raises((RuntimeError, ValueError), match=f"tailops_select: .*{message}"):
            jax.block_until_ready(call(weights))
    with pytest.raises((RuntimeError, ValueError), match="method"):
        jax.block_until_ready(call([x], method=5))
