"""`tailops.jax`'s selection: derivatives forward and in reverse, and `vmap`."""

import re

import ml_dtypes
import numpy as np
import pytest
from quick import quick

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

DTYPES = ["float16", "bfloat16", "float32", "float64"]
QS = (0.0, 0.1, 0.25, 1 / 3, 0.5, 0.77, 1.0)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 4, 5))


def assert_same_bits(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    assert actual.tobytes() == expected.tobytes()


def calls_in(function, *arguments):
    """How many of each custom call, and whether there is a loop."""
    text = jax.jit(function).lower(*arguments).compile().as_text()
    names = ("tailops_select", "tailops_select_grad")
    return (
        [text.count(f'custom_call_target="{name}"') for name in names],
        bool(re.search(r"\bwhile\(", text)),
    )


@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
@pytest.mark.parametrize("method", quick("linear", of=["linear", "lower", "hazen"]))
def test_finite_differences_in_both_modes(method, axis):
    x = RNG.permutation(np.arange(60) / 10).reshape(3, 4, 5)  # distinct

    def function(x):
        return tj.quantile(x, [[0.2, 0.5], [0.77, 0.9]], axis, method) ** 2

    check_grads(function, (x,), order=2, modes=["fwd", "rev"], eps=1e-4)


@pytest.mark.parametrize("dtype", quick("bfloat16", "float32", of=DTYPES))
def test_directions_are_the_transpose_of_the_gradient(dtype):
    """Also where there are more values than elements, and ties."""
    x = (RNG.integers(-9, 9, (4, 6)) / 4).astype(dtype)
    direction = RNG.standard_normal(x.shape).astype(dtype)
    tolerance = 4 * float(ml_dtypes.finfo(dtype).eps)
    for q, axis in [(0.3, 0), (QS, 1), (np.array([QS, QS, QS, QS]), None)]:

        def function(x, q=q, axis=axis):
            return tj.quantile(x, q, axis)

        value, tangent = jax.jit(lambda x, d, f=function: jax.jvp(f, (x,), (d,)))(x, direction)
        assert_same_bits(value, jax.jit(function)(x))
        assert tangent.dtype == dtype
        rows = jax.jit(jax.jacrev(function))(x).astype(float)
        expected = np.tensordot(rows, direction.astype(float), 2)
        scale = np.abs(direction.astype(float)).sum()
        np.testing.assert_allclose(tangent.astype(float), expected, atol=tolerance * scale)


def test_what_a_derivative_costs():
    """One call forward and one backward, in reverse mode as in forward mode."""

    def total(x):
        return tj.quantile(x, QS, 1).sum()

    assert calls_in(total, X) == ([1, 0], False)
    assert calls_in(jax.grad(total), X) == ([1, 1], False)
    assert calls_in(lambda x: jax.jvp(total, (x,), (x,)), X) == ([1, 1], False)
    assert calls_in(jax.vmap(jax.grad(lambda x: tj.median(x, 0).sum())), X) == ([1, 1], False)


def test_ties_nan_and_infinite_elements():
    slope = jax.grad(lambda x, f=tj.quantile: f(x, 0.5))
    assert slope(jnp.array([1.0, 1.0, 1.0, 4.0])).tolist() == [1 / 3, 1 / 3, 1 / 3, 0.0]
    assert slope(jnp.array([1.0, 3.0, np.inf, np.inf])).tolist() == [0.0, 0.5, 0.25, 0.25]
    with_nan = jnp.array([1.0, np.nan, 3.0])
    assert np.isnan(slope(with_nan)).all()
    assert slope(with_nan, tj.nanquantile).tolist() == [0.5, 0.0, 0.5]
    nothing = jnp.full(3, np.nan)
    assert slope(nothing, tj.nanquantile).tolist() == [0.0, 0.0, 0.0]
    # What has no weight does not matter, whichever way it moves.
    _, tangent = jax.jvp(tj.median, (jnp.array([1.0, 2.0, 3.0]),), (jnp.array([np.inf, 5.0, 0.0]),))
    assert tangent == 5.0


def test_there_is_no_gradient_by_q():
    assert jax.grad(lambda q: tj.quantile(X, q))(0.3) == 0
    assert jax.jvp(lambda q: tj.quantile(X, q), (0.3,), (1.0,))[1] == 0


def test_hessian():
    """Of a square: twice the outer product of the weights."""
    x = RNG.permutation(np.arange(6.0))
    weights = jax.grad(tj.quantile)(x, 0.3)
    for twice in (jax.hessian, lambda f: jax.jacrev(jax.jacrev(f))):
        found = jax.jit(twice(lambda x: tj.quantile(x, 0.3) ** 2))(x)
        np.testing.assert_allclose(found, 2 * np.outer(weights, weights), atol=1e-12)


MAPPED = [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize("q_shape", quick((), (2, 3), of=[(), (2,), (2, 3)]))
@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("mapped", MAPPED)
def test_vmap_is_a_loop_in_one_call(mapped, axis, q_shape):
    q = RNG.uniform(size=(6, *q_shape)).astype("float32")
    x = RNG.standard_normal((6, 5, 4)).astype("float32")
    direction = RNG.standard_normal(x.shape).astype("float32")
    in_axes = [0 if has else None for has in mapped]
    arguments = [a if has else a[0] for a, has in zip((x, q), mapped, strict=True)]

    def one(x, q, direction):
        def function(x):
            return tj.nanquantile(x, q, axis, "midpoint")

        value, pull_back = jax.vjp(function, x)
        return value, *pull_back(value + 1), jax.jvp(function, (x,), (direction,))[1]

    function = jax.vmap(one, (*in_axes, 0))
    found = jax.jit(function)(*arguments, direction)
    one = jax.jit(one)
    for i in range(6):
        parts = [a[i] if has else a for a, has in zip(arguments, mapped, strict=True)]
        for ours, expected in zip(found, one(*parts, direction[i]), strict=True):
            np.testing.assert_allclose(ours[i], expected, rtol=1e-5, atol=1e-6)
    mapped_values = jax.vmap(lambda x, q: tj.quantile(x, q, axis), in_axes)
    assert calls_in(mapped_values, *arguments) == ([1, 0], all(mapped))


def test_vmap_twice_over_other_axes_and_over_nothing():
    x = RNG.standard_normal((3, 9, 5))

    def one(x, q):
        return tj.quantile(x, q, method="weibull")

    found = jax.vmap(jax.vmap(one, (0, None)), (2, 0))(x, np.array(QS[:5])[:, None])
    assert found.shape == (5, 3, 1)
    for i, j in np.ndindex(5, 3):
        expected = np.quantile(x[j, :, i], QS[i], method="weibull")
        np.testing.assert_allclose(found[i, j, 0], expected)
    for axes, q in (((0, None), 0.5), ((None, 0), np.zeros(0)), ((0, 0), np.zeros(0))):
        given = np.zeros((0, 5)) if axes[0] == 0 else np.zeros(5)
        assert jax.vmap(one, axes)(given, q).shape == (0,)


def test_top_k_mean():
    x = jnp.array([5.0, 1.0, 3.0, 3.0])
    assert jax.grad(tj.top_k_mean)(x, 2).tolist() == [0.5, 0.0, 0.25, 0.25]
    assert float(jax.jit(tj.top_k_mean)(x, 2)) == 4.0
    assert jax.vmap(tj.top_k_mean, (0, None))(X, 3).shape == (3,)


def test_inside_shard_map():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("i",))
    rows = jax.sharding.PartitionSpec("i")

    def step(x):
        function = jax.value_and_grad(lambda x: tj.quantile(x, [0.3, 0.7]).sum())
        return (*function(x), jax.jvp(tj.median, (x,), (x,))[1])

    def shares(x):
        return jax.tree.map(jnp.atleast_1d, step(x))

    x = RNG.standard_normal(7)
    found = jax.jit(jax.shard_map(shares, mesh=mesh, in_specs=rows, out_specs=rows))(x)
    for ours, expected in zip(found, shares(x), strict=True):
        np.testing.assert_allclose(ours, expected)
