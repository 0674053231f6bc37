"""Ignored elements in the op: against the reference, finite differences, and the rows left."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from kinds import VALUE, betas
from quick import quick
from test_gradients import separated

from tailops import _kernels, ops, reference
from tailops._options import TailOptions
from tailops.losses import hybrid_percentile_loss, max_fraction_loss, percentile_loss

IMPLEMENTATIONS = [ops.tail_loss, reference.tail_loss]
REDUCTIONS = ["none", "per_sample", "mean", "sum"]


def problem(shape, rule, seed=0):
    """Targets, predictions, options and mask, about a third of the elements ignored."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(-2, 3, shape) / 2
    y_pred = y_true + rng.integers(-4, 5, shape) / 4
    lost = rng.random(shape) < 0.35
    lost[0] = True  # a whole sample
    if rule == "mask":
        return y_true, y_pred, {}, ~lost
    y_true[lost] = -1.0 if rule == "value" else np.nan
    return y_true, y_pred, {"ignore_value": -1.0} if rule == "value" else {"ignore_nan": True}, None


def loss_and_gradients(tail_loss, y_true, y_pred, options, reduction, mask):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch([y_true, y_pred])
        loss = tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)
    upstream = tf.cast(tf.range(1, 1 + tf.size(loss)), loss.dtype)
    upstream = tf.reshape(upstream, tf.shape(loss)) / tf.cast(tf.size(loss), loss.dtype)
    by = tape.gradient(loss, [y_true, y_pred], upstream, unconnected_gradients="zero")
    return loss, *by


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("reduction", quick("per_sample", of=REDUCTIONS))
@pytest.mark.parametrize("axis", quick(None, 0, of=[None, 0, -1]))
@pytest.mark.parametrize("rule", ["value", "nan", "mask"])
def test_reference_autodiff(rule, axis, reduction, gradient):
    y_true, y_pred, rules, mask = problem((19, 4), rule)
    for error, (method, beta) in itertools.product(
        _kernels.ERRORS, [("floor", 0.3), ("linear", 0.0), ("max_fraction", 0.3)]
    ):
        if error == VALUE and rule == "value":  # of targets
            continue
        options = TailOptions(
            0.8,
            2.0,
            3.0,
            betas(error, 0.0, beta)[-1],
            error=error,
            method=method,
            gradient=gradient,
            axis=axis,
            epsilon=0.2,
            **rules,
        )
        fused, plain = (
            loss_and_gradients(tail_loss, y_true, y_pred, options, reduction, mask)
            for tail_loss in IMPLEMENTATIONS
        )
        for ours, theirs in zip(fused, plain, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12, err_msg=str(options))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0])
def test_finite_differences(reduction, axis):
    d = separated((7, 3))
    y_true = np.random.default_rng(1).standard_normal(d.shape)
    mask = np.random.default_rng(2).random(d.shape) < 0.7
    for method, beta in itertools.product(["linear", "max_fraction"], [0.0, 0.3]):
        options = TailOptions(0.7, 2.0, 3.0, beta, method=method, axis=axis)
        theoretical, numerical = tf.test.compute_gradient(
            lambda t, p, options=options: ops.tail_loss(
                t, p, options, reduction=reduction, mask=mask
            ),
            [tf.constant(y_true), tf.constant(y_true + d)],
            delta=1e-6,
        )
        for by_autodiff, by_difference in zip(theoretical, numerical, strict=True):
            np.testing.assert_allclose(by_autodiff, by_difference, rtol=1e-6, atol=2e-8)


@pytest.mark.parametrize("tail_loss", IMPLEMENTATIONS)
@pytest.mark.parametrize("rule", ["value", "nan", "mask"])
def test_the_mean_is_that_of_what_is_left(rule, tail_loss):
    y_true, y_pred, rules, mask = problem((40,), rule)
    kept = {"value": y_true != -1.0, "nan": ~np.isnan(y_true), "mask": mask}[rule]
    options = TailOptions(0.9, 3.0)
    expected = tail_loss(y_true[kept], y_pred[kept], options, reduction="mean")
    ignoring = TailOptions(0.9, 3.0, **rules)
    for shape in ((40,), (40, 1), (8, 5)):
        reshaped = None if mask is None else mask.reshape(shape)
        loss = tail_loss(
            y_true.reshape(shape), y_pred.reshape(shape), ignoring, reduction="mean", mask=reshaped
        )
        np.testing.assert_allclose(loss, expected, rtol=1e-12)


@pytest.mark.parametrize("tail_loss", IMPLEMENTATIONS)
def test_a_mask_may_lack_the_last_axis(tail_loss):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.standard_normal((2, 6, 3))
    rows = np.array([True, False, True, True, False, True])
    every = np.repeat(rows[:, None], 3, axis=1)
    np.testing.assert_array_equal(
        tail_loss(y_true, y_pred, mask=rows), tail_loss(y_true, y_pred, mask=every)
    )


@pytest.mark.parametrize("tail_loss", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_integer_labels_are_compared_as_integers(dtype, tail_loss):
    """256 and 257 are the same number in bfloat16, and 2048 and 2049 in float16."""
    y_true = np.array([256, 257, 2048, 2049, 0], np.int32)
    y_pred = tf.zeros(5, dtype)
    for value in (256, 257, 2048, 2049):
        options = TailOptions(1.0, error_scale=0.0, ignore_value=value)
        losses = tail_loss(y_true, y_pred, options, reduction="none").numpy()
        np.testing.assert_array_equal(losses == 0, (y_true == value) | (y_true == 0))


@pytest.mark.parametrize("function", [percentile_loss, max_fraction_loss, hybrid_percentile_loss])
@pytest.mark.parametrize("impl", ["fused", "reference"])
def test_functional_forms(impl, function):
    y_true, y_pred, rules, _ = problem((12, 2), "nan")
    kept = ~np.isnan(y_true)
    expected = function(y_true, y_pred, mask=kept, impl=impl)
    np.testing.assert_allclose(function(y_true, y_pred, **rules, impl=impl), expected)
    marked = np.where(kept, y_true, -99.0)
    np.testing.assert_allclose(function(marked, y_pred, ignore_value=-99, impl=impl), expected)


def test_a_graph_that_knows_no_shapes():
    y_true, y_pred, _, mask = problem((12, 2), "mask")

    @tf.function(
        input_signature=[tf.TensorSpec(None, tf.float64)] * 2 + [tf.TensorSpec(None, bool)]
    )
    def loss(y_true, y_pred, mask):
        return ops.tail_loss(y_true, y_pred, reduction="mean", mask=mask)

    expected = ops.tail_loss(y_true, y_pred, reduction="mean", mask=mask)
    np.testing.assert_array_equal(loss(y_true, y_pred, mask), expected)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"mask of shape \(12,\) must have"):
        loss(y_true, y_pred, mask[:, 0])


X = np.array([1.0, 2.0, 3.0], np.float32)
BAD = [
    ({"ignore_value": "a"}, TypeError, r"ignore_value='a': must be a number, not str"),
    ({"ignore_value": True}, TypeError, r"ignore_value=True: must be a number, not bool"),
    ({"ignore_value": float("nan")}, ValueError, r"ignore_value=-?nan: .* use ignore_nan"),
    ({"ignore_nan": 1}, TypeError, r"ignore_nan=1: must be a bool, not int"),
    ({"mask": X}, TypeError, r"mask of dtype float32: must be bool"),
    ({"mask": [True, False]}, ValueError, r"mask of shape \(2,\): must be that of y_pred, \(3,\)"),
    ({"mask": True}, ValueError, r"mask of shape \(\): must be that of y_pred"),
    ({"mask": [[True] * 3]}, ValueError, r"mask of shape \(1, 3\): must be that of y_pred"),
]


@pytest.mark.parametrize(("bad", "error", "message"), BAD)
@pytest.mark.parametrize("impl", ["fused", "reference"])
def test_bad_arguments(impl, bad, error, message):
    with pytest.raises(error, match=message):
        percentile_loss(X, X, **bad, impl=impl)


@pytest.mark.parametrize(
    ("dtype", "value"), [("int8", 300), ("int32", 0.5), ("uint8", -1), ("float16", 1e6)]
)
@pytest.mark.parametrize("impl", ["fused", "reference"])
def test_a_value_that_cannot_occur(impl, dtype, value):
    y_true = np.ones(3, dtype)
    message = rf"ignore_value={float(value)!r}: cannot occur in y_true of dtype {dtype}"
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        percentile_loss(y_true, X, ignore_value=value, impl=impl)
