"""Keras models trained with the losses, in every way Keras trains."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops import reference
from tailops._options import TailOptions
from tailops.losses import HybridPercentileLoss, MaxFractionLoss, PercentileLoss

CLASSES = [PercentileLoss, MaxFractionLoss, HybridPercentileLoss]


def data(n=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype("float32")
    noise = 0.2 * rng.standard_t(3, n).astype("float32")
    y = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32") + noise
    return x, y[:, None]


def model(outputs=1):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(outputs)]
    )


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("run_eagerly", quick(False, of=[False, True]))
def test_fit_lowers_the_loss(cls, run_eagerly):
    x, y = data()
    m = model()
    m.compile(
        keras.optimizers.Adam(0.01),
        cls(smoothing_factor=2.0, gradient="fixed_weight"),
        run_eagerly=run_eagerly,
    )
    # 300 rows in batches of 64: the last one is smaller.
    history = m.fit(x, y, batch_size=64, epochs=8, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.8 * history[0]


def test_fit_equals_the_reference():
    class Plain(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return reference.tail_loss(y_true, y_pred, TailOptions(0.9, 2.0))

    x, y = data()
    curves = []
    for loss in (PercentileLoss(0.9, 2.0), Plain()):
        m = model()
        m.compile("adam", loss)
        curves.append(m.fit(x, y, batch_size=64, epochs=4, verbose=0).history["loss"])
    np.testing.assert_allclose(*curves, rtol=1e-5)


def test_reported_loss_is_the_loss():
    x, y = data()
    m = model()
    m.compile("sgd", PercentileLoss(0.9))
    reported = m.evaluate(x, y, batch_size=len(x), verbose=0)
    np.testing.assert_allclose(reported, PercentileLoss(0.9)(y, m(x)), rtol=1e-6)


@pytest.mark.parametrize("cls", quick(PercentileLoss, of=CLASSES))
def test_save_and_load(cls, tmp_path):
    x, y = data(64)
    m = model()
    m.compile("adam", cls(0.9, 3.0, 2.0, gradient="fixed_weight"))
    m.fit(x, y, epochs=1, verbose=0)
    m.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == m.loss.get_config()
    np.testing.assert_allclose(
        loaded.evaluate(x, y, verbose=0), m.evaluate(x, y, verbose=0), rtol=1e-6
    )
    loaded.fit(x, y, epochs=1, verbose=0)


def test_sample_weight_in_fit():
    """Rows of weight zero still count in the percentile, but not in the loss."""
    x, y = data()
    weights = (np.arange(len(x)) % 2).astype("float32")
    m = model()
    m.compile("sgd", PercentileLoss(0.9))
    value = m.evaluate(x, y, sample_weight=weights, batch_size=len(x), verbose=0)
    per_sample = PercentileLoss(0.9, reduction="none")(y, m(x)).numpy()
    np.testing.assert_allclose(value, (per_sample * weights).mean(), rtol=1e-5)
    m.fit(x, y, sample_weight=weights, epochs=1, verbose=0)


def test_keras_mask_from_a_layer():
    inputs = keras.Input((6, 3))
    masked = keras.layers.Masking(0.0)(inputs)
    outputs = keras.layers.TimeDistributed(keras.layers.Dense(1))(masked)
    m = keras.Model(inputs, outputs)
    m.compile("sgd", PercentileLoss(0.9))
    rng = np.random.default_rng(0)
    x = rng.standard_normal((10, 6, 3)).astype("float32")
    x[:, 4:] = 0.0
    y = rng.standard_normal((10, 6, 1)).astype("float32")
    value = m.evaluate(x, y, verbose=0, batch_size=10)
    per_step = PercentileLoss(0.9, reduction="none")(y, np.asarray(m.predict(x, verbose=0)))
    np.testing.assert_allclose(value, per_step.numpy()[:, :4].mean(), rtol=1e-5)


def test_several_outputs():
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(8, "relu")(inputs)
    m = keras.Model(
        inputs, {"a": keras.layers.Dense(1)(shared), "b": keras.layers.Dense(3)(shared)}
    )
    m.compile(
        "adam",
        {"a": PercentileLoss(gradient="fixed_weight"), "b": HybridPercentileLoss(axis=0)},
        loss_weights={"a": 1.0, "b": 0.5},
    )
    x, y = data(100)
    targets = {"a": y, "b": np.repeat(y, 3, axis=1)}
    history = m.fit(x, targets, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    predicted = m.predict(x, verbose=0)
    expected = PercentileLoss()(targets["a"], predicted["a"]) + 0.5 * HybridPercentileLoss(axis=0)(
        targets["b"], predicted["b"]
    )
    np.testing.assert_allclose(
        m.evaluate(x, targets, batch_size=100, verbose=0, return_dict=True)["loss"],
        expected,
        rtol=1e-5,
    )


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_precision_policies(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        x, y = data()
        m = model()
        assert m.layers[-1].compute_dtype == policy.removeprefix("mixed_")
        m.compile(keras.optimizers.Adam(0.01), PercentileLoss(0.9, 2.0, gradient="fixed_weight"))
        history = m.fit(x, y, batch_size=64, epochs=4, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        assert history[-1] < history[0]
    finally:
        keras.config.set_dtype_policy(before)


def test_custom_training_loop():
    x, y = data()
    m, optimizer, loss = model(), keras.optimizers.Adam(0.01), PercentileLoss(0.9, 2.0)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, m(x, training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(value, m.trainable_variables), m.trainable_variables, strict=True)
        )
        return value

    values = [float(step(x, y)) for _ in range(20)]
    assert values[-1] < values[0]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean"])
def test_two_replicas(reduction):
    """One step under MirroredStrategy: each replica has its own percentile, gradients add up."""
    x, y = data(64)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    assert strategy.num_replicas_in_sync == 2

    def reduced(per_sample):
        return tf.reduce_sum(per_sample) if reduction == "sum" else tf.reduce_mean(per_sample)

    with strategy.scope():
        m = model()
        m.compile(keras.optimizers.SGD(0.01), PercentileLoss(0.9, 2.0, reduction=reduction))
    before = m.get_weights()
    m.fit(x, y, batch_size=64, epochs=1, shuffle=False, verbose=0)

    alone = model()
    alone.set_weights(before)
    per_sample = PercentileLoss(0.9, 2.0, reduction="none")
    with tf.GradientTape() as tape:
        halves = [reduced(per_sample(y[i : i + 32], alone(x[i : i + 32]))) for i in (0, 32)]
        total = tf.add_n(halves) if reduction == "sum" else tf.add_n(halves) / 2
    slopes = tape.gradient(total, alone.trainable_variables)
    for weight, start, slope in zip(m.get_weights(), before, slopes, strict=True):
        np.testing.assert_allclose(weight, start - 0.01 * slope, rtol=1e-4, atol=1e-6)
