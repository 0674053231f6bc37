"""Keras models trained with the losses around another loss, in every way Keras trains."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    OHEMLoss,
    TailWeightedLoss,
    TrimmedLoss,
)

MAKE = {
    "tail": lambda loss, **of: TailWeightedLoss(loss, **of),
    "cvar": lambda loss, **of: CVaRLoss(loss, 0.7, **of),
    "top": lambda loss, **of: AverageTopKLoss(loss, fraction=0.3, **of),
    "ohem": lambda loss, **of: OHEMLoss(loss, 0.5, 8, **of),
    "trimmed": lambda loss, **of: TrimmedLoss(loss, 0.1, **of),
}


def data(n=256, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)).astype("float32")
    y = x @ np.array([1.0, -2.0, 0.5, 0.0], "float32")
    return x, (y + 0.2 * rng.standard_t(3, n)).astype("float32")[:, None]


def model(outputs=1):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(outputs)]
    )


def segmentation(n=24, seed=0):
    """Images of two channels, and which is larger; a fifth of the pixels is not said."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6, 6, 2)).astype("float32")
    labels = (x[..., 0] > x[..., 1]).astype("int32")
    labels[rng.random(labels.shape) < 0.2] = 255
    return x, labels


def segmenter():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((6, 6, 2)), keras.layers.Conv2D(2, 1)])


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("how", quick("graph", "xla", of=["graph", "xla", "eager"]))
def test_fit_lowers_the_loss(name, how):
    x, y = data()
    m = model()
    loss = MAKE[name]("mae" if how == "graph" else "log_cosh")
    options = {"jit_compile": how == "xla", "run_eagerly": how == "eager"}
    m.compile(keras.optimizers.Adam(0.02), loss, **options)
    history = m.fit(x, y, batch_size=64, epochs=6, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.8 * history[0]
    np.testing.assert_allclose(
        m.evaluate(x, y, batch_size=256, verbose=0), loss(y, m(x)), rtol=1e-5
    )


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("jit_compile", quick(False, of=[False, True]))
@pytest.mark.parametrize("axis", quick((1, 2), of=[None, (1, 2)]), ids=str)
def test_dense_prediction(name, axis, jit_compile):
    x, labels = segmentation()
    labels[3] = 255
    inner = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    m = segmenter()
    loss = MAKE[name](inner, axis=axis)
    m.compile(keras.optimizers.Adam(0.1), loss, jit_compile=jit_compile)
    history = m.fit(x, labels, batch_size=8, epochs=5, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.8 * history[0]
    # What is ignored teaches nothing, whatever the image shows there.
    spoiled = np.where((labels == 255)[..., None], np.float32(50), x)
    found = m.evaluate(spoiled, labels, batch_size=24, verbose=0)
    np.testing.assert_allclose(found, m.evaluate(x, labels, batch_size=24, verbose=0), rtol=1e-5)


@pytest.mark.parametrize("name", MAKE)
def test_sample_and_class_weights_in_fit(name):
    x, labels = segmentation()
    inner = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    m = segmenter()
    loss = MAKE[name](inner)
    m.compile("sgd", loss)
    weights = np.linspace(0, 2, len(x), dtype="float32")
    value = m.evaluate(x, labels, sample_weight=weights, batch_size=len(x), verbose=0)
    np.testing.assert_allclose(value, loss(labels, m(x), weights), rtol=1e-5)
    per_pixel = np.where(labels == 1, 3.0, 1.0).astype("float32")
    m.fit(x, labels, sample_weight=per_pixel, verbose=0)
    flat_x, flat = x.reshape(-1, 2), (x[..., 0] > x[..., 1]).astype("int32").reshape(-1)
    classifier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    loss = MAKE[name](keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    classifier.compile(keras.optimizers.SGD(0.0), loss)
    found = classifier.fit(
        flat_x, flat, class_weight={0: 1.0, 1: 3.0}, batch_size=len(flat), verbose=0
    ).history["loss"][0]
    by_hand = loss(flat, classifier(flat_x), np.where(flat == 1, 3.0, 1.0))
    np.testing.assert_allclose(found, by_hand, rtol=1e-5)


@pytest.mark.parametrize("name", MAKE)
def test_keras_mask_from_a_layer(name):
    inputs = keras.Input((6, 3))
    masked = keras.layers.Masking(0.0)(inputs)
    outputs = keras.layers.TimeDistributed(keras.layers.Dense(1))(masked)
    m = keras.Model(inputs, outputs)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((10, 6, 3)).astype("float32")
    x[:, 4:] = 0.0
    y = rng.standard_normal((10, 6, 1)).astype("float32")
    for inner in ("mae", "log_cosh"):
        m.compile("sgd", MAKE[name](inner))
        value = m.evaluate(x, y, verbose=0, batch_size=10)
        kept = MAKE[name](inner)(y[:, :4], m.predict(x, verbose=0)[:, :4])
        np.testing.assert_allclose(value, kept, rtol=1e-5)


def test_several_outputs():
    inputs = keras.Input((4,))
    shared = keras.layers.Dense(8, "relu")(inputs)
    m = keras.Model(
        inputs, {"a": keras.layers.Dense(1)(shared), "b": keras.layers.Dense(3)(shared)}
    )
    losses = {"a": TailWeightedLoss("mae"), "b": CVaRLoss("mse", 0.5)}
    m.compile("adam", losses, loss_weights={"a": 1.0, "b": 0.5})
    x, y = data(100)
    targets = {"a": y, "b": np.repeat(y, 3, axis=1)}
    assert np.isfinite(m.fit(x, targets, epochs=2, verbose=0).history["loss"]).all()
    predicted = m.predict(x, verbose=0)
    by_hand = [losses[k](targets[k], predicted[k]) for k in "ab"]
    found = m.evaluate(x, targets, batch_size=100, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(found, by_hand[0] + 0.5 * by_hand[1], rtol=1e-5)


@pytest.mark.parametrize("name", quick("tail", "top", of=list(MAKE)))
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_precision_policies(name, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        x, y = data()
        m = model()
        m.compile(keras.optimizers.Adam(0.02), MAKE[name]("log_cosh"))
        history = m.fit(x, y, batch_size=64, epochs=4, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        assert history[-1] < history[0]
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", quick("mean", "sum", of=["mean", "sum"]))
@pytest.mark.parametrize("name", MAKE)
def test_two_replicas(name, reduction, weighted):
    """One step under MirroredStrategy: each replica selects by itself, gradients add up."""
    x, y = data(64)
    weights = np.linspace(0, 2, 64, dtype="float32") if weighted else None
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    make = MAKE[name]
    with strategy.scope():
        m = model()
        m.compile(keras.optimizers.SGD(0.01), make("mae", reduction=reduction))
    before = m.get_weights()
    m.fit(x, y, sample_weight=weights, batch_size=64, shuffle=False, verbose=0)

    alone = model()
    alone.set_weights(before)
    loss = make("mae", reduction=reduction)
    with tf.GradientTape() as tape:
        halves = [
            loss(y[part], alone(x[part]), None if weights is None else weights[part])
            for part in (slice(0, 32), slice(32, 64))
        ]
        total = tf.add_n(halves) / (1 if reduction == "sum" else 2)
    slopes = tape.gradient(total, alone.trainable_variables)
    for weight, start, slope in zip(m.get_weights(), before, slopes, strict=True):
        np.testing.assert_allclose(weight, start - 0.01 * slope, rtol=1e-4, atol=1e-6)
