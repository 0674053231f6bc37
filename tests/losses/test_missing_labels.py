"""Training where labels are missing."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops.losses import HybridPercentileLoss, MaxFractionLoss, PercentileLoss

CLASSES = [PercentileLoss, MaxFractionLoss, HybridPercentileLoss]
MEANS = ["sum_over_batch_size", "mean", "mean_with_sample_weight"]


def data(n=60, outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.standard_normal((2, n, outputs)).astype("float32")
    return y_true, y_pred, rng.random((n, outputs)) < 0.7


def marked(y_true, kept, rule):
    value, arguments = {
        "value": (-99.0, {"ignore_value": -99}),
        "nan": (np.nan, {"ignore_nan": True}),
    }[rule]
    return np.where(kept, y_true, np.float32(value)), arguments


@pytest.mark.parametrize("reduction", [*MEANS, "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rule", ["value", "nan"])
@pytest.mark.parametrize("cls", CLASSES)
def test_as_if_the_rows_were_not_there(cls, rule, weighted, reduction):
    y_true, y_pred, kept = data()
    weights = np.random.default_rng(1).uniform(0.5, 2, 60).astype("float32")
    labels, arguments = marked(y_true, kept, rule)
    rows = kept[:, 0]
    loss = cls(reduction=reduction, **arguments)
    actual = loss(labels, y_pred, weights if weighted else None)
    expected = cls(reduction=reduction)(
        y_true[rows], y_pred[rows], weights[rows] if weighted else None
    )
    if weighted and reduction == "mean_with_sample_weight":
        # Keras divides by the weights of all rows: right up to how far those of the rows that
        # are left differ from the rest on average.
        expected = expected * (weights[rows].mean() / weights.mean())
    np.testing.assert_allclose(actual, expected, rtol=2e-6)


@pytest.mark.parametrize("reduction", [*MEANS, "sum"])
def test_weights_of_one_change_nothing(reduction):
    """What the op reduces and what Keras reduces are the same, several outputs too."""
    y_true, y_pred, kept = data(40, 3)
    kept[0] = False
    labels, arguments = marked(y_true, kept, "nan")
    loss = PercentileLoss(0.9, 3.0, reduction=reduction, **arguments)
    np.testing.assert_allclose(
        loss(labels, y_pred), loss(labels, y_pred, np.ones(40, "float32")), rtol=2e-6
    )


@pytest.mark.parametrize("weights", [None, np.ones(5, "float32")])
def test_all_missing_is_no_loss_and_no_gradient(weights):
    predictions = tf.Variable(tf.ones((5, 2)))
    with tf.GradientTape() as tape:
        loss = PercentileLoss(ignore_nan=True)(np.full((5, 2), np.nan), predictions, weights)
    assert float(loss) == 0.0
    np.testing.assert_array_equal(tape.gradient(loss, predictions), np.zeros((5, 2)))


def test_integer_labels_are_compared_before_the_cast():
    y_true = np.array([16_777_216, 16_777_217, 0], np.int32)
    y_pred = np.zeros(3, "float32")
    loss = PercentileLoss(error_scale=0.0, reduction="sum", ignore_value=16_777_217)
    assert float(loss(y_true, y_pred)) == 16_777_216.0
    with pytest.raises(
        ValueError, match=r"ignore_value=0\.5: cannot occur in y_true of dtype int32"
    ):
        PercentileLoss(ignore_value=0.5)(y_true, y_pred)


@pytest.mark.parametrize("cls", CLASSES)
def test_serialisation(cls):
    loss = cls(ignore_value=-1, ignore_nan=True)
    config = keras.losses.serialize(loss)
    restored = keras.losses.deserialize(config)
    assert restored.get_config() == loss.get_config()
    assert (restored.options.ignore_value, restored.options.ignore_nan) == (-1.0, True)


def trained(x, y, loss, *, jit_compile, steps=120):
    """Full batches, so that both see the same rows in every step."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=jit_compile)
    history = model.fit(x, y, batch_size=len(x), epochs=steps, verbose=0)
    return model.get_weights(), history.history["loss"]


@pytest.mark.parametrize("jit_compile", quick(False, of=[False, True]))
@pytest.mark.parametrize("rule", quick("nan", of=["value", "nan"]))
def test_fit_with_missing_labels_is_fit_on_the_complete_rows(rule, jit_compile):
    """30 % of the labels are missing."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 4)).astype("float32")
    y = (x @ rng.standard_normal((4, 1)) + 0.5 * rng.standard_t(3, (500, 1))).astype("float32")
    kept = rng.permutation(500) >= 150
    labels, arguments = marked(y, kept[:, None], rule)
    settings = {"percentile": 0.9, "smoothing_factor": 2.0, "gradient": "fixed_weight"}
    weights, losses = trained(
        x, labels, PercentileLoss(**settings, **arguments), jit_compile=jit_compile
    )
    expected, complete = trained(x[kept], y[kept], PercentileLoss(**settings), jit_compile=False)
    np.testing.assert_allclose(losses, complete, rtol=1e-4)
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
