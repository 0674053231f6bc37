"""Reductions, weights, masks, ranks and serialisation: as with Keras's own losses."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops import losses, reference
from tailops._options import TailOptions
from tailops.losses import (
    HybridPercentileLoss,
    MaxFractionLoss,
    PercentileLoss,
    hybrid_percentile_loss,
    max_fraction_loss,
    percentile_loss,
)

CLASSES = [PercentileLoss, MaxFractionLoss, HybridPercentileLoss]
FUNCTIONS = [percentile_loss, max_fraction_loss, hybrid_percentile_loss]
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]


class Plain(keras.losses.Loss):
    """The same per-sample losses, with everything else left to Keras."""

    def call(self, y_true, y_pred):
        return reference.tail_loss(y_true, y_pred, TailOptions(0.9, 5.0))


def pair(shape=(24, 3), seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape).astype("float32"), rng.standard_normal(shape).astype(
        "float32"
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [None, "per_sample", "column", "zero", "one"])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("shape", [(24,), (24, 1), (24, 3), (6, 4, 3)])
def test_reduction_weights_and_mask(reduction, weights, mask, shape):
    y_true, y_pred = pair(shape)
    rng = np.random.default_rng(1)
    samples = shape if len(shape) == 1 else shape[:-1]
    sample_weight = {
        None: None,
        "per_sample": rng.uniform(size=samples).astype("float32"),
        "column": rng.uniform(size=(*samples, 1)).astype("float32"),
        "zero": np.zeros(samples, "float32"),
        "one": 2.0,
    }[weights]

    results = []
    for loss in (PercentileLoss(0.9, 5.0, reduction=reduction), Plain(reduction=reduction)):
        predictions = tf.Variable(y_pred)
        with tf.GradientTape() as tape:
            tensor = tf.convert_to_tensor(predictions)
            if mask:
                every_third = np.arange(np.prod(samples)).reshape(samples) % 3 == 0
                tensor._keras_mask = tf.constant(~every_third)
            value = loss(y_true, tensor, sample_weight=sample_weight)
        results.append((value, tape.gradient(value, predictions)))
    (value, slope), (expected, expected_slope) = results
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=2e-6, atol=1e-7)
    scale = float(np.abs(expected_slope).max())
    np.testing.assert_allclose(slope, expected_slope, rtol=0, atol=1e-5 * scale + 1e-9)


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"),
    [
        ((8,), (8, 1)),
        ((8, 1), (8,)),
        ((4, 2), (4, 2, 1)),
        ((4, 2, 1), (4, 2)),
        ((1,), ()),
        ((), ()),
    ],
)
def test_a_last_axis_of_one(true_shape, pred_shape):
    size = int(np.prod(true_shape))
    y_true, y_pred = pair((2, size))[0]
    given = y_true.reshape(true_shape), y_pred.reshape(pred_shape)
    value = PercentileLoss(0.5, 5.0)(*given)
    np.testing.assert_allclose(value, PercentileLoss(0.5, 5.0)(y_true, y_pred), rtol=1e-6)
    if len(true_shape) + len(pred_shape) > 2:
        assert percentile_loss(*given).shape == keras.losses.mean_squared_error(*given).shape


def test_integer_targets_are_cast_as_in_keras():
    y_true, y_pred = np.array([1, 5, 9]), np.array([1.5, 5.5, 8.0], np.float32)
    as_float = y_true.astype(np.float32)
    np.testing.assert_array_equal(
        percentile_loss(y_true, y_pred), percentile_loss(as_float, y_pred)
    )
    assert PercentileLoss()(y_true, y_pred) == PercentileLoss()(as_float, y_pred)


def test_lists_and_tensors_of_another_dtype():
    expected = percentile_loss(np.float32([0, 0, 0]), np.float32([1, 2, 4]))
    np.testing.assert_array_equal(percentile_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]), expected)
    mixed = percentile_loss(np.zeros(3), tf.constant([1.0, 2.0, 4.0]))
    assert mixed.dtype == tf.float32
    np.testing.assert_array_equal(mixed, expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_loss_dtype(dtype):
    y_true, y_pred = pair()
    assert PercentileLoss(dtype=dtype)(y_true, y_pred).dtype == dtype
    assert PercentileLoss()(y_true.astype("float64"), y_pred).dtype == "float32"


NON_DEFAULT = {
    "percentile": 0.9,
    "fraction": 0.8,
    "smoothing_factor": 7.0,
    "error_scale": 3.0,
    "beta": 0.6,
    "error": "smooth_absolute",
    "method": "linear",
    "gradient": "fixed_weight",
    "axis": 0,
    "window": None,  # what has an axis has none; tests/windows have those that do
    "weighted": False,  # what is synchronized is not; test_weighted_losses.py has those that are
    "epsilon": 0.5,
    "smoothing_unit": "threshold",
    "ignore_value": 0.25,
    "ignore_nan": True,
    "synchronized": True,
    "reduction": "sum",
    "name": "mine",
    "dtype": "float64",
}


@pytest.mark.parametrize("cls", CLASSES)
def test_config_is_complete(cls):
    arguments = list(inspect.signature(cls).parameters)
    chosen = {name: NON_DEFAULT[name] for name in arguments}
    loss = cls(**chosen)
    config = loss.get_config()
    assert config == chosen
    again = cls.from_config(config)
    assert again.get_config() == config
    through_keras = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(through_keras) is cls
    assert through_keras.get_config() == config
    y_true, y_pred = pair()
    assert through_keras(y_true, y_pred) == loss(y_true, y_pred)


@pytest.mark.parametrize(("cls", "function"), list(zip(CLASSES, FUNCTIONS, strict=True)))
def test_class_and_function_agree(cls, function):
    of_class, of_function = (inspect.signature(f).parameters for f in (cls, function))
    shared = set(of_class) & set(of_function)
    for name in shared:
        assert of_class[name].default == of_function[name].default
    chosen = {name: NON_DEFAULT[name] for name in shared}
    y_true, y_pred = pair()
    np.testing.assert_allclose(
        cls(**chosen, reduction="none")(y_true, y_pred),
        function(y_true, y_pred, **chosen),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        function(y_true, y_pred, **chosen, impl="reference"),
        function(y_true, y_pred, **chosen),
        rtol=2e-6,
    )


def test_signatures_as_published():
    first = ["percentile", "smoothing_factor", "error_scale"]
    assert list(inspect.signature(PercentileLoss).parameters)[:3] == first
    assert list(inspect.signature(HybridPercentileLoss).parameters)[:4] == [*first, "beta"]
    assert losses.__all__ == sorted(losses.__all__)


def test_by_registered_name():
    for cls in CLASSES:
        assert keras.saving.get_registered_name(cls) == f"tailops>{cls.__name__}"
