"""Infinite errors: op, reference and oracle agree, and no other element becomes NaN by one."""

import itertools

import ml_dtypes
import numpy as np
import oracle
import pytest
import tensorflow as tf
from kinds import betas

from tailops import _kernels, kernels, ops, reference
from tailops._options import TailOptions

TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "float16": 2e-3, "bfloat16": 2e-2}


def value_and_gradient(f, y_true, y_pred, options, reduction, upstream):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = f(y_true, y_pred, options, reduction=reduction)
    return loss.numpy(), tape.gradient(loss, y_pred, tf.constant(upstream)).numpy()


def numpy_kernels(y_true, y_pred, options, reduction, upstream):
    loss, state = kernels.forward(y_true, y_pred, options, reduction=reduction)
    how = {"reduction": reduction}
    return loss, kernels.backward(upstream, y_true, y_pred, state, options, **how)


def same(actual, expected, dtype, what, scale=0.0):
    actual, expected = (np.asarray(x).astype(np.float64) for x in (actual, expected))
    largest = float(ml_dtypes.finfo(dtype).max)
    with np.errstate(invalid="ignore"):
        expected = np.where(np.abs(expected) > largest, np.sign(expected) * np.inf, expected)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), err_msg=what)
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(actual[infinite], expected[infinite], err_msg=what)
    finite = np.isfinite(expected)
    scale = np.abs(expected[finite]).max(initial=scale)
    worst = np.abs(actual[finite] - expected[finite]).max(initial=0)
    assert worst <= TOLERANCE[np.dtype(dtype).name] * scale, what


def with_infinities(rng, shape, dtype):
    d = rng.standard_normal(shape)
    if rng.random() < 0.5:
        d = np.round(d * 2) / 2
    share = rng.choice([0.02, 0.3, 1.0])
    return np.where(rng.random(shape) < share, rng.choice([-np.inf, np.inf], shape), d).astype(
        dtype
    )


def random_problem(seed):
    rng = np.random.default_rng(seed)
    dtype = rng.choice(["float64", "float32", "float16", "bfloat16"])
    n = int(rng.choice([1, 2, 3, 5, 17, 40, 300, 1500]))
    shape = [(n,), (n, 3), (n, 40)][rng.integers(3)] if n < 300 else (n, 2)
    error = str(rng.choice(_kernels.ERRORS))
    options = TailOptions(
        float(rng.choice([0.3, 0.5, 0.9, 0.99, 1.0])),
        float(rng.choice([0.0, 1.0, 100.0])),
        float(rng.choice([0.0, 10.0])),
        float(rng.choice(betas(error, 0.0, 0.2, 1.0))),
        error,
        str(rng.choice(_kernels.METHODS)),
        str(rng.choice(_kernels.GRADIENTS)),
        axis=[None, 0, -1][rng.integers(3)],
        epsilon=0.1,
        smoothing_unit=str(rng.choice(_kernels.SMOOTHING_UNITS)),
    )
    d = with_infinities(rng, shape, dtype)
    reduction = str(rng.choice(["none", "per_sample", "mean", "sum"]))
    shape_of_loss = kernels.forward(np.zeros_like(d), d, options, reduction=reduction).loss.shape
    # Equal, or a few different ones.
    upstream = (
        np.full(shape_of_loss, 1.5) if rng.random() < 0.5 else rng.integers(1, 4, shape_of_loss)
    )
    return np.zeros_like(d), d, options, reduction, np.asarray(upstream).astype(dtype)


@pytest.mark.parametrize("part", range(4))
def test_random_problems(part):
    with np.errstate(all="ignore"):
        for seed in range(part, 400, 4):
            problem = random_problem(seed)
            y_pred, options = problem[1:3]
            what = f"seed {seed}: {y_pred.dtype}{y_pred.shape} {options} {problem[3]}"
            truth = oracle.tail_loss(*problem)
            results = {"kernels": numpy_kernels(*problem)}
            results["reference"] = value_and_gradient(reference.tail_loss, *problem)
            if seed % 4 == 0:
                results["op"] = value_and_gradient(ops.tail_loss, *problem)
            for name, (loss, gradient) in results.items():
                by, dtype = f"of {name}, {what}", y_pred.dtype
                same(loss, truth.loss, dtype, f"loss {by}", truth.loss_scale)
                same(gradient, truth.gradient, dtype, f"gradient {by}", truth.gradient_scale)


@pytest.mark.parametrize("f", [ops.tail_loss, reference.tail_loss])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_published_defaults(f, jit_compile):
    """The indicator is ½ at t, where both are infinite; its spike cancels, nobody else has one."""
    f = tf.function(f, jit_compile=jit_compile)
    y_pred = np.float32([1.0, 2.0, 3.0, np.inf])
    args = np.zeros_like(y_pred), y_pred, TailOptions(), "none", np.ones(4, np.float32)
    loss, gradient = value_and_gradient(f, *args)
    np.testing.assert_array_equal(loss, y_pred)
    np.testing.assert_allclose(gradient, [1.0, 1.0, 1.0, 6.0])


def test_beside_an_infinite_threshold():
    """Interpolated with infinity, t is infinite; what the finite element shares is finite."""
    y_pred = np.array([1.0, 2.0, np.inf])
    for gradient, error in itertools.product(_kernels.GRADIENTS, _kernels.ERRORS):
        options = TailOptions(0.75, 2.0, 3.0, 0.0, error, "linear", gradient, epsilon=0.5)
        problem = np.zeros(3), y_pred, options, "none", np.ones(3)
        for f in (ops.tail_loss, reference.tail_loss):
            loss, slope = value_and_gradient(f, *problem)
            assert np.isinf(loss).tolist() == [False, False, True]
            assert np.isfinite(slope[:2]).all()
            assert slope[2] > 0
