"""Every functional against float64 NumPy written from the contract: values and gradients."""

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from functionals import AXES, DATA, FUNCTIONALS, data, expected, has_enough
from quick import quick

from tailops import build_info, ops

DTYPES = ["float16", "bfloat16", "float32", "float64"]
QUICK_AXES = [None, 0, (1, 2), (-1, 0)]


def with_gradient(name, values, mask, axis, impl, upstream):
    function, numbers = getattr(ops, FUNCTIONALS[name][0]), FUNCTIONALS[name][1]
    with tf.GradientTape() as tape:
        tape.watch(values)
        means = function(values, *numbers, axis=axis, mask=mask, impl=impl)
    return means, tape.gradient(means, values, tf.cast(upstream, values.dtype))


def assert_right(name, values, mask, axis, found):
    means, weights = expected(name, values, mask, axis)
    ours, slope, upstream = (np.asarray(tf.cast(x, tf.float64)) for x in found)
    info = ml_dtypes.finfo(values.dtype)
    eps = float(info.eps)
    assert ours.shape == means.shape
    # Relative to the largest value that takes part, as a sum of both signs is.
    taking_part = np.where(np.isfinite(values) & (weights != 0), np.abs(values.astype(float)), 0)
    with np.errstate(over="ignore"):
        means = means.astype(values.dtype).astype(np.float64)
    near = 4 * eps * float(taking_part.max(initial=0)) + float(info.tiny)
    np.testing.assert_allclose(ours, means, rtol=4 * eps, atol=near)
    axes = axis if axis is not None else tuple(range(values.ndim))
    broadcast = np.expand_dims(upstream, tuple(np.atleast_1d(axes)) if axes != () else ())
    wanted = np.where(weights == 0, 0.0, weights * broadcast)
    np.testing.assert_allclose(slope, wanted, rtol=8 * eps, atol=2 * float(info.smallest_subnormal))
    # They add up to what arrives, or are all zero or all NaN.
    total, some = slope.sum(axis=axes), (weights != 0).any(axis=axes)
    arriving = np.where(some, upstream, 0.0)
    usual = ~np.isnan(means) | ~np.isnan(total)
    np.testing.assert_allclose(total[usual], arriving[usual], rtol=0, atol=64 * eps)


@pytest.mark.parametrize("impl", ["fused", "reference"])
@pytest.mark.parametrize("axis", quick(*QUICK_AXES, of=AXES), ids=str)
@pytest.mark.parametrize("dtype", quick("float32", "bfloat16", of=DTYPES))
@pytest.mark.parametrize("of", DATA)
def test_every_functional(of, dtype, axis, impl):
    values, mask = data(of, dtype)
    groups = expected("all", values, mask, axis)[0].shape
    upstream = np.random.default_rng(2).integers(1, 5, groups) / 4
    for name in FUNCTIONALS:
        if has_enough(name, mask, axis):
            found = with_gradient(name, tf.constant(values), mask, axis, impl, upstream)
            assert_right(name, values, mask, axis, (*found, upstream))


@pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")
@pytest.mark.parametrize("name", quick("the middle", "top 1.5", "hard", of=list(FUNCTIONALS)))
@pytest.mark.parametrize("axis", quick(None, (-1, 0), of=AXES), ids=str)
def test_inside_xla(name, axis):
    groups = expected(name, *data("random", "float32"), axis)[0].shape
    upstream = np.random.default_rng(2).integers(1, 5, groups) / 4

    @tf.function(jit_compile=True)
    def compiled(values, mask):
        return with_gradient(name, values, mask, axis, "fused", upstream)

    for of in ("random", "few values", "infinite", "NaN", "ignored, tied", "ignored groups"):
        values, mask = data(of, "float32")
        mask = np.ones(values.shape, bool) if mask is None else mask
        if has_enough(name, mask, axis):
            assert_right(name, values, mask, axis, (*compiled(values, mask), upstream))


@pytest.mark.parametrize("name", FUNCTIONALS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("axis", [None, 1, (0, 2)], ids=str)
@pytest.mark.parametrize("of", ["random", "ignored groups", "all ignored"])
def test_reductions(name, reduction, axis, of):
    values, mask = data(of, "float32")
    if not has_enough(name, mask, axis):
        return
    means, weights = expected(name, values, mask, axis)
    axes = axis if axis is not None else (0, 1, 2)
    groups = (weights != 0).any(axis=axes).sum()
    total = means.sum() if reduction == "sum" else means.sum() / max(groups, 1)
    function, numbers = getattr(ops, FUNCTIONALS[name][0]), FUNCTIONALS[name][1]
    given = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = function(given, *numbers, axis=axis, mask=mask, reduction=reduction)
    np.testing.assert_allclose(found, total, rtol=1e-5, atol=1e-6)
    share = 1.0 if reduction == "sum" else 1 / max(groups, 1)
    np.testing.assert_allclose(tape.gradient(found, given), weights * share, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("axis", quick(None, (0, 2), of=AXES), ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("of", DATA)
def test_tail_mask(of, dtype, axis):
    values, mask = data(of, dtype)
    for name in ("the middle", "all", "a sliver", "cvar"):
        _, _, _, (lower, upper) = FUNCTIONALS[name]
        weights = expected(name, values, mask, axis)[1]
        found = ops.tail_mask(values, lower, upper, axis, mask=mask)
        np.testing.assert_array_equal(found, weights > 0)
