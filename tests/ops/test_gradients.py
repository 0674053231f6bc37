"""The op's gradient against finite differences and against autodiff through the reference."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from kinds import METHODS, with_betas
from quick import quick

from tailops import _kernels, ops, reference
from tailops._options import TailOptions


def separated(shape, seed=0):
    """Residuals whose absolute values differ by much more than a finite difference's step."""
    rng = np.random.default_rng(seed)
    n = int(np.prod(shape))
    magnitudes = (rng.permutation(n) + 1.0 + rng.uniform(0.2, 0.5, n)) / n
    return (magnitudes * rng.choice([-1, 1], n)).reshape(shape)


OPTIONS = list(itertools.product(with_betas(0.0, 0.3), METHODS))


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("reduction", quick("per_sample", of=_kernels.REDUCTIONS))
def test_finite_differences(reduction, axis):
    d = separated((7, 3))
    y_true = np.random.default_rng(1).standard_normal(d.shape)
    for (error, beta), method in OPTIONS:
        options = TailOptions(
            0.7, 2.0, 3.0, beta, error=error, method=method, axis=axis, epsilon=0.2
        )
        theoretical, numerical = tf.test.compute_gradient(
            lambda t, p, options=options: ops.tail_loss(t, p, options, reduction=reduction),
            [tf.constant(y_true), tf.constant(y_true + d)],
            delta=1e-6,
        )
        for by_autodiff, by_difference in zip(theoretical, numerical, strict=True):
            np.testing.assert_allclose(
                by_autodiff, by_difference, rtol=1e-6, atol=2e-8, err_msg=str(options)
            )


def value_and_gradients(tail_loss, y_true, y_pred, options, reduction, upstream):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch([y_true, y_pred])
        loss = tail_loss(y_true, y_pred, options, reduction=reduction)
    by = tape.gradient(loss, [y_true, y_pred], upstream, unconnected_gradients="zero")
    return loss, *by


@pytest.mark.parametrize("tied", quick(True, of=[False, True]))
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("reduction", quick("none", "mean", of=_kernels.REDUCTIONS))
@pytest.mark.parametrize("axis", quick(None, 0, of=[None, 0, -1]))
@pytest.mark.parametrize("unit", _kernels.SMOOTHING_UNITS)
def test_reference_autodiff(unit, axis, reduction, gradient, tied):
    rng = np.random.default_rng(3)
    d = rng.integers(-4, 5, (19, 4)) / 4 if tied else rng.standard_normal((19, 4))
    y_true = rng.integers(-2, 3, d.shape) / 2
    # A reduction is behind the method: with some of them all are tried, with the others some.
    for (error, beta), method in OPTIONS[:: 1 if reduction in ("none", "mean") else 5]:
        options = TailOptions(0.8, 4.0, 5.0, beta, error, method, gradient, axis, 0.1, unit)
        shape = ops.tail_loss(y_true, y_true + d, options, reduction=reduction).shape
        upstream = tf.constant(rng.uniform(0.5, 2.0, shape))
        fused, plain = (
            value_and_gradients(f, y_true, y_true + d, options, reduction, upstream)
            for f in (ops.tail_loss, reference.tail_loss)
        )
        for actual, expected in zip(fused, plain, strict=True):
            np.testing.assert_allclose(
                actual, expected, rtol=1e-9, atol=1e-11, err_msg=str(options)
            )


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32])
def test_reference_in_lower_precision(dtype):
    rng = np.random.default_rng(5)
    y_true = tf.cast(rng.standard_normal((64, 2)), dtype)
    y_pred = tf.cast(rng.standard_normal((64, 2)), dtype)
    fused, plain = (
        value_and_gradients(f, y_true, y_pred, TailOptions(0.9, 5.0), "mean", None)
        for f in (ops.tail_loss, reference.tail_loss)
    )
    tolerance = {tf.float16: 2e-3, tf.bfloat16: 1.6e-2, tf.float32: 3e-6}[dtype]
    for actual, expected in zip(fused, plain, strict=True):
        assert actual.dtype == dtype
        wide = tf.cast(expected, tf.float64).numpy()
        np.testing.assert_allclose(
            tf.cast(actual, tf.float64), wide, rtol=0, atol=tolerance * np.abs(wide).max()
        )


def test_reference_makes_nan_of_the_same_elements():
    d = np.random.default_rng(0).standard_normal((12, 3))
    d[4, 1] = np.nan
    options = TailOptions(0.5, 2.0, axis=0)
    for f in (ops.tail_loss, reference.tail_loss):
        loss, by_true, by_pred = value_and_gradients(f, np.zeros_like(d), d, options, "none", None)
        for result in (loss, by_true, by_pred):
            np.testing.assert_array_equal(np.isnan(result), [[False, True, False]] * 12)


def test_no_second_derivative():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = ops.tail_loss(tf.zeros(3), x, reduction="mean")
        slope = inner.gradient(loss, x)
    with pytest.raises(NotImplementedError, match=r"second derivative.*impl='reference'"):
        outer.gradient(slope, x)


def test_reference_has_a_second_derivative():
    x = tf.constant([1.0, 2.0, 3.0, 3.2], tf.float64)
    options = TailOptions(0.5, 1.0, gradient="fixed_threshold")
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = reference.tail_loss(tf.zeros_like(x), x, options, reduction="mean")
        slope = inner.gradient(loss, x)
    assert np.abs(outer.gradient(slope, x)).max() > 0
