"""`tailops.jax`'s range means in forward mode and of second order, and with weights."""

import itertools
import re

import numpy as np
import pytest
from quick import quick
from range_problems import BOUNDS, problem

from tailops import build_info, kernels

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402
from tailops.jax._range_mean import range_mean, range_weights  # noqa: E402

DTYPES = ["float16", "bfloat16", "float32", "float64"]
RNG = np.random.default_rng(0)
DISTINCT = RNG.permutation(np.arange(60) / 10).reshape(3, 4, 5)
VALUES = RNG.standard_normal((4, 30)).astype("float32")
TIES = RNG.integers(-3, 3, (6, 9)) / 4
PART = (0.21, 0.83)


def calls_in(function, *arguments):
    text = jax.jit(function).lower(*arguments).compile().as_text()
    names = ("tailops_range_mean", "tailops_range_mean_grad")
    calls = [text.count(f'custom_call_target="{name}"') for name in names]
    return calls, bool(re.search(r"\bwhile\(", text))


FUNCTIONALS = {
    "range_mean": lambda v, axis: tj.range_mean(v, 0.2, 0.7, axis),
    "cvar": lambda v, axis: tj.cvar(v, 0.73, axis),
    "average_top_k": lambda v, axis: tj.average_top_k(v, 1.5, axis),
    "trimmed_mean": lambda v, axis: tj.trimmed_mean(v, 0.3, axis),
    "ohem": lambda v, axis: tj.ohem(v, 4.05, 2, axis),
    "top_k_mean": lambda v, axis: tj.top_k_mean(v, 2, axis),
    "masked": lambda v, axis: tj.cvar(v, 0.4, axis, mask=DISTINCT < 5.5),
    "reduced": lambda v, axis: tj.cvar(v, 0.4, axis, reduction="mean"),
}


@pytest.mark.parametrize("axis", quick(1, of=[None, 1, (0, 2)]))
@pytest.mark.parametrize("name", FUNCTIONALS)
def test_finite_differences_in_both_modes(name, axis):
    function = FUNCTIONALS[name]
    check_grads(
        lambda v: function(v, axis) ** 2, (DISTINCT,), order=2, modes=["fwd", "rev"], eps=1e-4
    )


@pytest.mark.parametrize("dtype", quick("bfloat16", "float32", of=DTYPES))
@pytest.mark.parametrize("kind", BOUNDS)
def test_directions_are_the_transpose_of_the_gradient(kind, dtype):
    """With ties and ignored elements."""
    values, mask = problem(dtype, masked=True)
    direction = RNG.standard_normal(values.shape).astype(dtype)
    tolerance = 8 * float(jnp.finfo(dtype).eps)
    for axis in (None, 1):

        def function(v, axis=axis):
            return range_mean(v, BOUNDS[kind], kind, axis, mask)

        step = jax.jit(lambda v, d, f=function: jax.jvp(f, (v,), (d,)))
        mean, tangent = step(values, direction)
        np.testing.assert_array_equal(mean, jax.jit(function)(values))
        weights = range_weights(values, BOUNDS[kind], kind, axis, mask).astype(float)
        expected = (weights * direction.astype(float)).sum(axis)
        assert tangent.dtype == dtype
        scale = np.abs(direction.astype(float)).max()
        np.testing.assert_allclose(tangent.astype(float), expected, atol=tolerance * scale)


def test_many_elements_in_16_bits():
    """Of which each share is less than the type's smallest number."""
    values = RNG.standard_normal(2**18).astype("float16")
    moved = jax.jvp(lambda v: tj.cvar(v, 0.1), (values,), (np.ones_like(values),))[1]
    np.testing.assert_allclose(moved, 1.0, rtol=1e-3)


def test_what_a_derivative_costs():
    """One call forward and one backward, in reverse mode as in forward mode, also of slices."""

    def total(v):
        return tj.cvar(v, 0.5, 1).sum()

    assert calls_in(total, DISTINCT) == ([1, 0], False)
    assert calls_in(jax.grad(total), DISTINCT) == ([1, 1], False)
    assert calls_in(lambda v: jax.jvp(total, (v,), (v,)), DISTINCT) == ([1, 1], False)
    slices = jax.vmap(lambda v: jax.jvp(tj.cvar, (v,), (v,)))
    assert calls_in(slices, DISTINCT) == ([1, 1], False)
    assert calls_in(jax.jacfwd(lambda v: tj.cvar(v, 0.5, 1)), DISTINCT) == ([1, 1], False)


def test_jacobians_and_hessian():
    def means(v):
        return tj.cvar(v, 0.3, 0)

    whole = jax.jacrev(means)(TIES)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(means))(TIES), whole, atol=1e-15)
    shares = jax.grad(tj.cvar)(TIES[0], 0.3)
    for twice in (
        jax.hessian,
        lambda f: jax.jacrev(jax.jacrev(f)),
        lambda f: jax.jacfwd(jax.jacfwd(f)),
    ):
        found = twice(lambda v: tj.cvar(v, 0.3) ** 2)(TIES[0])
        np.testing.assert_allclose(found, 2 * np.outer(shares, shares), atol=1e-12)


def test_nan_and_infinite_directions():
    v = jnp.array([1.0, 5.0, 3.0])
    assert jax.jvp(tj.cvar, (v, 0.9), (jnp.array([np.inf, 2.0, np.nan]), 0.0))[1] == 2.0
    with_nan = jnp.array([1.0, np.nan, 3.0])
    assert np.isnan(jax.jvp(tj.cvar, (with_nan, 0.9), (v, 0.0))[1])


def test_in_shard_map():
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("i",))
    rows = jax.sharding.PartitionSpec("i")

    def moved(v):
        return jax.jvp(lambda v: tj.cvar(v, 0.3), (v,), (v,))[1][None]

    found = jax.jit(jax.shard_map(moved, mesh=mesh, in_specs=rows, out_specs=rows))(TIES[0])
    np.testing.assert_allclose(found, moved(TIES[0]))


def weighted(v, w, axis=None, bounds=PART):
    return range_mean(v, bounds, "between", axis, weights=w)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_give_the_kernels_bits(dtype, axis):
    values = TIES.astype(dtype)
    for weights in (RNG.uniform(size=values.shape), RNG.uniform(size=values.shape).astype("f")):
        expected = kernels.range_mean(values, PART, "between", axis, weights=weights)
        traced = jax.jit(lambda v, w: weighted(v, w, axis))(values, weights)
        known = jax.jit(lambda v, w=weights: weighted(v, w, axis))(values)
        for found in (traced, known):
            assert np.asarray(found).tobytes() == expected.tobytes()


@pytest.mark.parametrize("x64_mode", [False, True])
@pytest.mark.parametrize("dtype", quick("float16", "float32", of=DTYPES[:3]))
def test_whole_weights_are_repeats(dtype, x64_mode):
    jax.config.update("jax_enable_x64", x64_mode)
    values = TIES[0].astype(dtype)
    weights = np.array([2, 0, 1, 3, 1, 0, 2**20, 1, 5])
    weights[6] = 4
    repeated = np.repeat(values, weights)
    eps = float(jnp.finfo(dtype).eps)
    for given in (weights.astype(float), weights.astype("float32"), jnp.asarray(weights)):
        found, pull_back = jax.vjp(lambda v, w=given: weighted(v, w), values)
        assert found.dtype == dtype
        np.testing.assert_allclose(
            found.astype(float), float(range_mean(repeated, PART, "between", None)), rtol=2 * eps
        )
        shares = np.asarray(range_weights(repeated.astype("f"), PART, "between", None))
        parts = np.split(shares, np.cumsum(weights)[:-1])
        expected = np.array([part.sum() for part in parts])
        (slope,) = pull_back(jnp.ones_like(found))
        np.testing.assert_allclose(slope.astype(float), expected, atol=2 * eps)
        moved = jax.jvp(lambda v, w=given: weighted(v, w), (values,), (values,))[1]
        np.testing.assert_allclose(float(moved), expected @ values.astype(float), atol=4 * eps)


def test_finite_differences_with_weights():
    weights = RNG.uniform(size=DISTINCT.shape)
    for axis in (None, 1):
        check_grads(
            lambda v, axis=axis: weighted(v, weights, axis) ** 2,
            (DISTINCT,),
            order=2,
            modes=["fwd", "rev"],
            eps=1e-4,
        )
    assert not jax.grad(lambda w: weighted(DISTINCT, w))(weights).any()


MAPPED = [m for m in itertools.product([True, False], repeat=3) if any(m)]


@pytest.mark.parametrize("axis", quick(None, 0, of=[None, 0, -1]))
@pytest.mark.parametrize(
    ("mapped", "dtype"), list(zip(MAPPED, itertools.cycle(["int32", "float32"]), strict=False))
)
def test_vmap_over_any_of_values_weights_and_bounds(mapped, dtype, axis):
    """Of whole numbers the operand is words."""
    values = RNG.standard_normal((3, 6, 4))
    weights = RNG.integers(1, 9, values.shape).astype(dtype)
    bounds = np.array([[0.2, 0.7], [0.0, 0.4], [0.33, 1.0]])
    arrays = (values, weights, bounds)
    arguments = [a if has else a[0] for a, has in zip(arrays, mapped, strict=True)]

    def one(v, w, b):
        mean, pull_back = jax.vjp(lambda v: weighted(v, w, axis, b), v)
        return mean, *pull_back(mean + 1)

    function = jax.vmap(one, tuple(0 if has else None for has in mapped))
    found = jax.jit(function)(*arguments)
    for i in range(3):
        parts = [a[i] if has else a for a, has in zip(arguments, mapped, strict=True)]
        for ours, expected in zip(found, jax.jit(one)(*parts), strict=True):
            np.testing.assert_array_equal(ours[i], expected)
    assert calls_in(function, *arguments) == ([1, 1], mapped[2])


def test_errors():
    v, w = TIES[0], np.ones(9)
    with pytest.raises(ValueError, match="mask with weights"):
        range_mean(v, PART, "between", None, v > 0, w)
    for given, kind, message in [
        (w, "largest", "kind='largest'.*weights"),
        (-w, "between", "weights: must be finite and at least 0, and .*one is -1"),
        (w[:5], "between", r"weights of shape \(5,\) must have the shape \(9,\)"),
    ]:
        with pytest.raises((RuntimeError, ValueError), match=f"tailops_range_mean: .*{message}"):
            jax.block_until_ready(range_mean(v, (0.5, 1.0), kind, None, weights=jnp.array(given)))


@pytest.mark.parametrize("x64_mode", [False, True])
def test_functions_with_weights(x64_mode):
    """Of NumPy and JAX, known and traced, with a mask, and in both modes of derivatives."""
    jax.config.update("jax_enable_x64", x64_mode)
    weights = np.random.default_rng(1).integers(0, 4, VALUES.shape)
    weights[2] = 0
    kept = np.random.default_rng(2).random(VALUES.shape) < 0.7

    def expected_of(function, numbers, counts):
        rows = [np.repeat(v, c) for v, c in zip(VALUES, counts, strict=True)]
        return [float(function(row, *numbers)) if row.size else 0.0 for row in rows]

    for function, numbers in (
        (tj.range_mean, (0.2, 0.7)),
        (tj.cvar, (0.4,)),
        (tj.trimmed_mean, (0.3,)),
    ):
        for given in (weights, weights.astype(float), jnp.asarray(weights, "float32")):

            def means(v, w, mask=None, f=function, n=numbers):
                return f(v, *n, axis=1, mask=mask, weights=w)

            expected = expected_of(function, numbers, weights)
            for found in (means(VALUES, given), jax.jit(means)(VALUES, given)):
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
            found = jax.jit(lambda v, k, w=given: means(v, w, k))(VALUES, kept)
            expected = expected_of(function, numbers, np.where(kept, weights, 0))
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
            forward, reverse = (of(means)(VALUES, given) for of in (jax.jacfwd, jax.jacrev))
            np.testing.assert_allclose(forward, reverse, atol=1e-6)
            np.testing.assert_allclose(reverse.sum((1, 2)), weights.any(1), rtol=1e-5)
    for wrong, message in (
        ({"weights": -VALUES}, "weights: one is -"),
        ({"weights": abs(VALUES[:2])}, r"weights of shape \(2, 30\): must be that of x"),
        ({"weights": weights, "synchronized": True}, "synchronized=True with weights"),
    ):
        with pytest.raises(ValueError, match=message):
            tj.cvar(VALUES, **wrong)
