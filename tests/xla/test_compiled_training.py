"""Keras models whose train step XLA compiles."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops import build_info
from tailops.losses import HybridPercentileLoss, MaxFractionLoss, PercentileLoss

pytestmark = pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")

CLASSES = [PercentileLoss, MaxFractionLoss, HybridPercentileLoss]


def data(n=150):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 4)).astype("float32")
    y = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")
    return x, (y + 0.2 * rng.standard_t(3, n).astype("float32"))[:, None]


def model(loss, **arguments):
    keras.utils.set_random_seed(0)
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1)])
    m.compile(keras.optimizers.Adam(0.01), loss, **arguments)
    return m


def curve(m, **arguments):
    # 150 rows in batches of 64: the last one is smaller.
    return m.fit(*data(), batch_size=64, epochs=4, verbose=0, **arguments).history["loss"]


@pytest.mark.parametrize("cls", quick(PercentileLoss, of=CLASSES))
@pytest.mark.parametrize("gradient", quick("fixed_weight", of=["exact", "fixed_weight"]))
def test_loss_curves_are_those_outside_xla(cls, gradient):
    loss = cls(0.9, smoothing_factor=2.0, gradient=gradient)
    plain, compiled = (curve(model(loss, jit_compile=jit)) for jit in (False, True))
    np.testing.assert_allclose(compiled, plain, rtol=1e-5)
    assert compiled[-1] < 0.9 * compiled[0]


@pytest.mark.extended
def test_weights_and_reductions():
    weights = np.linspace(0.0, 1.0, 150, dtype="float32")
    for reduction in ("sum", "mean_with_sample_weight"):
        loss = PercentileLoss(0.9, 2.0, axis=0, method="linear", reduction=reduction)
        plain, compiled = (
            curve(model(loss, jit_compile=jit), sample_weight=weights) for jit in (False, True)
        )
        np.testing.assert_allclose(compiled, plain, rtol=1e-5)


@pytest.mark.parametrize("policy", quick("mixed_float16", of=["mixed_float16", "mixed_bfloat16"]))
def test_mixed_precision(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        history = curve(model(PercentileLoss(0.9, 2.0, gradient="fixed_weight"), jit_compile=True))
        assert np.isfinite(history).all()
        assert history[-1] < history[0]
    finally:
        keras.config.set_dtype_policy(before)


def test_saved_and_loaded(tmp_path):
    m = model(PercentileLoss(0.9, 2.0), jit_compile=True)
    curve(m)
    m.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.jit_compile
    x, y = data()
    np.testing.assert_allclose(loaded.evaluate(x, y, verbose=0), m.evaluate(x, y, verbose=0))
    np.testing.assert_allclose(curve(loaded), curve(m), rtol=1e-5)


def test_auto():
    """With "auto", XLA is left to Keras, which decides by the machine."""
    np.testing.assert_allclose(
        curve(model(PercentileLoss(0.9), jit_compile="auto")),
        curve(model(PercentileLoss(0.9), jit_compile=False)),
        rtol=1e-5,
    )


def test_custom_training_loop():
    x, y = data(64)
    results = []
    for jit in (False, True):
        loss = HybridPercentileLoss(0.9, 2.0)
        m = model(loss)
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(m.trainable_variables)

        @tf.function(jit_compile=jit)
        def step(x, y, m=m, loss=loss, optimizer=optimizer):
            with tf.GradientTape() as tape:
                value = loss(y, m(x, training=True))
            optimizer.apply_gradients(
                zip(tape.gradient(value, m.trainable_variables), m.trainable_variables, strict=True)
            )
            return value

        results.append([float(step(x, y)) for _ in range(5)])
    np.testing.assert_allclose(*results, rtol=1e-5)
