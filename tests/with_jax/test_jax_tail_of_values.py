"""The tail of values on JAX arrays, against float64 NumPy: jit, grad, vmap, traced numbers."""

import ml_dtypes
import numpy as np
import pytest
from functionals import AXES, DATA, FUNCTIONALS, data, expected, has_enough
from quick import quick

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402

import tailops.jax as tj  # noqa: E402

SOME_AXES = (None, (-1, 0))
V = np.random.default_rng(0).standard_normal((4, 30)).astype("float32")


@pytest.mark.parametrize(
    "case",
    quick(
        *(("float32", axis) for axis in SOME_AXES),
        of=[("float32", axis) for axis in AXES]
        + [(dtype, axis) for dtype in ("float16", "bfloat16") for axis in SOME_AXES],
    ),
    ids=str,
)
@pytest.mark.parametrize(
    "of", quick("random", "few values", "infinite", "NaN", "ignored groups", of=list(DATA))
)
def test_every_functional(of, case):
    dtype, axis = case
    values, mask = data(of, dtype)
    eps = float(ml_dtypes.finfo(values.dtype).eps)
    for name, (function, numbers, _, _) in FUNCTIONALS.items():
        if not has_enough(name, mask, axis):
            continue
        means, weights = expected(name, values, mask, axis)

        def call(v, function=function, numbers=numbers):
            return getattr(tj, function)(v, *numbers, axis=axis, mask=mask)

        found, back = jax.vjp(jax.jit(call), jnp.asarray(values))
        (slope,) = back(jnp.ones_like(found))
        taking_part = np.where(np.isfinite(values) & (weights != 0), values.astype(float), 0)
        near = 4 * eps * np.abs(taking_part).max()
        np.testing.assert_allclose(np.asarray(found, float), means, rtol=4 * eps, atol=near)
        np.testing.assert_allclose(np.asarray(slope, float), weights, rtol=4 * eps)


@pytest.mark.parametrize("axis", [None, 0, (0, 2), ()], ids=str)
def test_masks_and_the_weighted_tail_are_those_of_tensorflow(axis):
    from tailops import ops

    values, mask = data("ignored groups", "float32")
    np.testing.assert_array_equal(
        tj.tail_mask(values, 0.3, 0.7, axis, mask=mask),
        ops.tail_mask(values, 0.3, 0.7, axis, mask=mask),
    )
    for reduction in ("none", "mean", "sum"):
        options = {"axis": axis, "mask": mask, "reduction": reduction, "method": "linear"}
        found = tj.tail_weighted(values, 0.6, 3.0, 2.0, **options)
        np.testing.assert_allclose(
            found, ops.tail_weighted(values, 0.6, 3.0, 2.0, **options), rtol=1e-6
        )

    def total(v):
        return tj.tail_weighted(v, 0.6, axis=axis, gradient="fixed_weight", reduction="sum")

    positive = np.abs(values)
    slope = jax.grad(total)(positive)
    weighted = tj.tail_weighted(positive, 0.6, axis=axis)
    np.testing.assert_allclose(slope * positive, weighted, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_reductions(reduction):
    values, mask = data("ignored groups", "float32")
    means, weights = expected("cvar", values, mask, (1, 2))
    groups = (weights != 0).any((1, 2)).sum()
    found = tj.cvar(values, 0.8, (1, 2), mask=mask, reduction=reduction)
    wanted = {"none": means, "sum": means.sum(), "mean": means.sum() / groups}[reduction]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_numbers_may_be_traced():
    compilations = []

    @jax.jit
    def every(v, a, b):
        compilations.append(None)
        return (
            tj.range_mean(v, a, b, axis=1),
            tj.cvar(v, a, axis=1),
            tj.trimmed_mean(v, a, axis=1),
            tj.average_top_k(v, 10 * b, axis=1),
            tj.ohem(v, a, jnp.round(10 * b), axis=1),
            tj.tail_mask(v, a, b, axis=1),
            tj.tail_weighted(v, b, 9 * a, a, axis=1),
            jax.grad(lambda v: tj.tail_weighted(v, b, 9 * a, a, reduction="sum"))(v),
        )

    for a, b in [(0.0, 0.5), (0.25, 0.75), (0.5, 0.625)]:
        found = every(V, a, b)
        wanted = (
            tj.range_mean(V, a, b, axis=1),
            tj.cvar(V, a, axis=1),
            tj.trimmed_mean(V, a, axis=1),
            tj.average_top_k(V, 10 * b, axis=1),
            tj.ohem(V, a, round(10 * b), axis=1),
            tj.tail_mask(V, a, b, axis=1),
            tj.tail_weighted(V, b, 9 * a, a, axis=1),
            jax.grad(lambda v: tj.tail_weighted(v, b, 9 * a, a, reduction="sum"))(V),  # noqa: B023
        )
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert len(compilations) == 1


def test_known_numbers_are_float64_in_any_mode():
    """0.29 in float32 is a little more: position 29 would be left with a part."""
    values = np.arange(100, dtype="float32")
    for i in range(1, 100):
        assert int(tj.tail_mask(values, i / 100).sum()) == 100 - i


def test_vmap():
    found = jax.vmap(lambda v: tj.cvar(v, 0.8))(V)
    np.testing.assert_allclose(found, tj.cvar(V, 0.8, axis=1), rtol=1e-6)
    slopes = jax.vmap(jax.grad(lambda v: tj.average_top_k(v, 4.5)))(V)
    np.testing.assert_allclose(slopes.sum(1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("mapped", [False, True])
def test_vmap_with_traced_numbers(mapped):
    """One percentile of all slices, or one of each."""
    p = np.linspace(0.1, 0.9, len(V)) if mapped else np.full(len(V), 0.8)

    def weighted(v, p):
        return tj.tail_weighted(v, p, mask=v > -1, reduction="sum")

    over = jax.vmap(jax.value_and_grad(weighted), in_axes=(0, 0 if mapped else None))
    found = jax.jit(over)(V, p if mapped else p[0])
    for i, v in enumerate(V):
        wanted = jax.value_and_grad(weighted)(jnp.asarray(v), float(np.float32(p[i])))
        np.testing.assert_array_equal(found[0][i], wanted[0])
        np.testing.assert_array_equal(found[1][i], wanted[1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tj.average_top_k(V, 0), ValueError, "k=0: must be above 0"),
        (lambda: tj.average_top_k(V, 31, axis=1), ValueError, "k=31: must be at most .* 30"),
        (lambda: tj.average_top_k(V, jnp.array([1])), ValueError, r"k of shape \(1,\): must be"),
        (lambda: tj.range_mean(V, 0.5, 0.5), ValueError, "lower must be below upper"),
        (lambda: tj.cvar(V, jnp.float32(1.0)), ValueError, "percentile=1: must be a fraction"),
        (lambda: tj.tail_weighted(V, jnp.float32(2)), ValueError, "percentile=2: must be a frac"),
        (lambda: tj.cvar(V, axis=2), ValueError, r"axis=2: must be in \[-2, 2\) for values"),
        (lambda: tj.cvar(V, mask=V[0] > 0), ValueError, r"mask of shape \(30,\): must be that of"),
        (lambda: tj.cvar(V, impl="reference"), ValueError, "impl='reference': must be one of"),
        (lambda: tj.cvar(V[:0]), ValueError, "there must be at least one in every group"),
        (lambda: tj.cvar(jnp.arange(3)), TypeError, "values of dtype int32: must be one of"),
        (lambda: tj.cvar(V, mask=V), TypeError, "mask of dtype float32: must be bool"),
        (lambda: tj.ohem(V, "high"), TypeError, "threshold='high': must be a number"),
        (lambda: jax.jit(lambda a: tj.cvar(V, axis=a))(1), TypeError, "axis is a tracer"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_only_run_time_knows():
    top = jax.jit(lambda k, mask: tj.average_top_k(V, k, axis=1, mask=mask))
    with pytest.raises(RuntimeError, match="k=31: must be at most the number of valid"):
        jax.block_until_ready(top(31.0, V < 9))
    with pytest.raises(RuntimeError, match="k=30: must be at most the number of valid"):
        jax.block_until_ready(top(30.0, V < 0.5))
    with pytest.raises(RuntimeError, match=r"lower=0\.5, upper=0\.5"):
        jax.block_until_ready(jax.jit(lambda a: tj.range_mean(V, a, 0.5))(0.5))
    np.testing.assert_array_equal(top(3.0, V > 9), np.zeros(4))
