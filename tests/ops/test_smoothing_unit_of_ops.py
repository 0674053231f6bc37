"""κ in units of 1/t, in TensorFlow: one loss at every scale, t constant in the unit."""

import numpy as np
import pytest
import tensorflow as tf
from kinds import VALUE

from tailops import _kernels, build_info, ops, reference
from tailops._options import TailOptions
from tailops.losses import MaxFractionLoss, PercentileLoss, TailWeightedLoss
from tailops.ops import tail_weighted

SCALES = (1e-6, 1e-3, 0.7, 7.0, 1e3, 1e6)
COMPILED = [
    False,
    pytest.param(
        True, marks=pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")
    ),
]


def pair(shape=(400, 3), dtype=np.float32):
    rng = np.random.default_rng(0)
    return tuple(rng.standard_normal(shape).astype(dtype) for _ in range(2))


def value_and_gradient(f, y_true, y_pred):
    y_pred = tf.convert_to_tensor(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = f(y_true, y_pred)
    return loss.numpy(), tape.gradient(loss, y_pred).numpy()


LOSSES = {
    "percentile": PercentileLoss(0.9, 5.0, smoothing_unit="threshold"),
    "each output's": PercentileLoss(
        0.9, 5.0, axis=0, gradient="fixed_threshold", smoothing_unit="threshold"
    ),
    "smooth": PercentileLoss(
        0.9, 5.0, error="smooth_absolute", epsilon=1e-12, smoothing_unit="threshold"
    ),
    "fraction": MaxFractionLoss(0.5, 5.0, smoothing_unit="threshold"),
    "weighted": TailWeightedLoss("mae"),
    "values": lambda y_true, y_pred: tail_weighted(
        y_pred - y_true, 0.9, 5.0, reduction="mean", smoothing_unit="threshold"
    ),
    "reference": lambda y_true, y_pred: reference.tail_loss(
        y_true,
        y_pred,
        TailOptions(0.9, 5.0, smoothing_unit="threshold"),
        reduction="mean",
    ),
}


@pytest.mark.parametrize("jit_compile", COMPILED)
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_scales(name, graph, jit_compile):
    """The loss of c·y and c·ŷ is c times as large, and the gradient the same."""
    if jit_compile and not graph:
        return
    f = tf.function(LOSSES[name], jit_compile=jit_compile) if graph else LOSSES[name]
    y_true, y_pred = pair()
    loss, gradient = value_and_gradient(f, y_true, y_pred)
    for c in SCALES:
        c = np.float32(c)
        scaled_loss, scaled_gradient = value_and_gradient(f, c * y_true, c * y_pred)
        np.testing.assert_allclose(scaled_loss, c * loss, rtol=2e-6)
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(scaled_gradient, gradient, rtol=0, atol=1e-5 * largest)


@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("axis", [None, 0])
def test_finite_differences(axis, error):
    """Of the loss with the t of where they are taken in the unit."""
    rng = np.random.default_rng(2)
    d = rng.permutation(30).reshape(10, 3) / 30 + rng.uniform(0.005, 0.015, (10, 3))
    y_true = rng.standard_normal(d.shape)
    y_pred = y_true + d * rng.choice([-1, 1], d.shape)
    given = {"error": error, "epsilon": 0.2, "method": "linear"}

    def loss(y_pred, κ, unit, columns):
        options = TailOptions(0.7, κ, 3.0, axis=axis, smoothing_unit=unit, **given)
        return ops.tail_loss(y_true[:, columns], y_pred, options, reduction="sum")

    for columns in [slice(None)] if axis is None else [slice(i, i + 1) for i in range(3)]:
        prediction = y_pred[:, columns]
        residual = prediction if error == VALUE else prediction - y_true[:, columns]
        errors = reference.ERRORS[error](tf.constant(residual), 0.2).numpy()
        κ = 2.0 / abs(np.quantile(errors, np.float64(0.7)))
        prediction = tf.constant(prediction)
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            total = loss(prediction, 2.0, "threshold", columns)
        slope = tape.gradient(total, prediction)
        (_,), (by_difference,) = tf.test.compute_gradient(
            lambda p, κ=κ, columns=columns: loss(p, κ, "error", columns), [prediction], delta=1e-6
        )
        np.testing.assert_allclose(tf.reshape(slope, -1), by_difference[0], rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("f", [ops.tail_loss, reference.tail_loss])
def test_a_hard_step(f, gradient):
    """Where t is 0; and a threshold of NaN is NaN."""
    options = TailOptions(0.5, 5.0, 3.0, gradient=gradient, smoothing_unit="threshold")

    def of_zeros(y_true, y_pred):
        return f(y_true, y_pred, options, reduction="none")

    d = np.float32([0.0, 0.0, 0.0, -1e-30, 2.0])
    loss, slope = value_and_gradient(of_zeros, np.zeros_like(d), d)
    np.testing.assert_array_equal(loss, np.float32([0.0, 0.0, 0.0, 4e-30, 8.0]))
    np.testing.assert_array_equal(slope, [0.0, 0.0, 0.0, -4.0, 4.0])
    d[0] = np.nan
    loss, slope = value_and_gradient(of_zeros, np.zeros_like(d), d)
    assert np.isnan(loss).all()
    assert np.isnan(slope).all()


def test_where_numbers_are_known_only_at_run_time():
    _, y_pred = pair()
    κ = tf.Variable(3.0)

    @tf.function
    def loss():
        return tail_weighted(y_pred, 0.9, κ, reduction="mean", smoothing_unit="threshold")

    for value in (3.0, 0.0, 70.0):
        κ.assign(value)
        expected = tail_weighted(y_pred, 0.9, value, reduction="mean", smoothing_unit="threshold")
        assert loss() == expected
