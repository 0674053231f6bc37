"""The error kind "value" in TensorFlow: op, XLA, reference; its targets are not read."""

import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels, ops, reference
from tailops._options import TailOptions
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library
from tailops.losses import HybridPercentileLoss, PercentileLoss, hybrid_percentile_loss

IMPLEMENTATIONS = {
    "op": ops.tail_loss,
    "compiled": tf.function(ops.tail_loss, jit_compile=True),
    "reference": reference.tail_loss,
}
OPTIONS = TailOptions(0.8, 3.0, 5.0, error="value")
VALUES = np.random.default_rng(0).standard_normal((19, 4))
MASK = np.random.default_rng(1).random(VALUES.shape) < 0.7


def loss_and_gradient(tail_loss, targets, options, reduction):
    targets, values = tf.constant(targets), tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch([targets, values])
        loss = tail_loss(targets, values, options, reduction=reduction, mask=tf.constant(MASK))
    by_target, by_value = tape.gradient(loss, [targets, values])
    assert by_target is None
    return loss.numpy(), by_value.numpy()


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_targets_are_not_read(reduction, impl):
    """Not even those that are NaN, where NaN is ignored."""
    tail_loss = IMPLEMENTATIONS[impl]
    for rules in ({}, {"ignore_nan": True}):
        options = TailOptions(**OPTIONS.get_config() | rules)
        found = [
            loss_and_gradient(tail_loss, targets, options, reduction)
            for targets in (VALUES, np.full_like(VALUES, np.nan), np.full(VALUES.shape, 7))
        ]
        for loss, gradient in found:
            assert np.isfinite(loss).all()
            np.testing.assert_array_equal(loss, found[0][0])
            np.testing.assert_array_equal(gradient, found[0][1])


def test_the_gradient_by_one_tensor_that_is_both():
    for tail_loss in IMPLEMENTATIONS.values():
        values = tf.Variable(VALUES)
        with tf.GradientTape() as tape:
            loss = tail_loss(values, values, OPTIONS, reduction="mean", mask=tf.constant(MASK))
        _, expected = loss_and_gradient(ops.tail_loss, VALUES, OPTIONS, "mean")
        np.testing.assert_allclose(tape.gradient(loss, values), expected, rtol=1e-12, atol=1e-15)


def test_the_op_itself():
    """As a graph calls it, that another program may have made."""
    targets, values = tf.zeros(VALUES.shape, tf.float64), tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch([targets, values])
        loss, _ = library.tailops_tail_loss(
            y_true=targets,
            y_pred=values,
            numbers=[],
            mask=[],
            reduction="mean",
            **attributes_of(OPTIONS),
        )
    by_target, by_value = tape.gradient(loss, [targets, values])
    assert by_target is None
    assert np.any(by_value)
    for name, value in (("beta", "0.2"), ("ignore_value", "3")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"{name}=.*error='value'"):
            library.tailops_tail_loss(
                y_true=values,
                y_pred=values,
                numbers=[],
                mask=[],
                reduction="mean",
                **attributes_of(OPTIONS) | {name: value},
            )


def test_bad_options():
    with pytest.raises(ValueError, match=r"beta=0\.2: must be 0 with error='value'"):
        HybridPercentileLoss(error="value")
    for impl in ("fused", "reference"):
        with pytest.raises(ValueError, match=r"beta=0\.5: must be 0 with error='value'"):
            hybrid_percentile_loss(VALUES, VALUES, beta=0.5, error="value", impl=impl)
    with pytest.raises(ValueError, match=r"ignore_value=-1: must not be given with error='value'"):
        PercentileLoss(error="value", ignore_value=-1)


def test_in_keras():
    """A model whose outputs are losses: what it is compiled with has no targets."""
    loss = PercentileLoss(0.8, 3.0, 5.0, error="value", reduction="sum_over_batch_size")
    expected = ops.tail_loss(VALUES, VALUES, OPTIONS)
    np.testing.assert_allclose(loss(np.zeros_like(VALUES), VALUES), np.mean(expected), rtol=1e-6)
    assert PercentileLoss.from_config(loss.get_config()).options.error == "value"
