"""Losses with a window against NumPy: values and gradients at each step of a stream."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from remembered import Remembered, weighted

from tailops import losses
from tailops.layers import ErrorWindow

CLASSES = {
    "PercentileLoss": {"percentile": 0.9, "smoothing_factor": 2.0, "gradient": "fixed_weight"},
    "HybridPercentileLoss": {"percentile": 0.8, "beta": 0.3, "gradient": "fixed_threshold"},
    "MaxFractionLoss": {"fraction": 0.5, "smoothing_factor": 3.0, "gradient": "fixed_weight"},
    "TailWeightedLoss": {"loss": "mse", "percentile": 0.7},
}


def batches(seed, rows, outputs=1):
    rng = np.random.default_rng(seed)
    for n in rows:
        y_true = rng.standard_normal((n, outputs)).astype("float32")
        yield y_true, (y_true + rng.standard_normal((n, outputs)) ** 3).astype("float32")


def of_step(loss, layer, y_true, y_pred, training=True, **named):
    """The value, and the gradient by the predictions."""
    x = tf.convert_to_tensor(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(y_true, layer(x, training=training), **named)
    return value, (tape.gradient(value, x) if training else None)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
@pytest.mark.parametrize("name", CLASSES)
def test_streams(name, mode):
    """Batches that are shorter and longer than the window."""
    loss = getattr(losses, name)(**CLASSES[name], window=40)
    layer = ErrorWindow(40)
    layer.build((None, 1))
    of_loss = loss.options
    error = "squared" if name == "TailWeightedLoss" else of_loss.error
    step = of_step
    if mode != "eager":
        step = tf.function(
            lambda y, p: of_step(loss, layer, y, p),
            jit_compile=mode == "xla",
            reduce_retracing=False,
        )
        step = lambda _, __, y, p, f=step: f(y, p)  # noqa: E731
    expected = Remembered(40)
    for y_true, y_pred in batches(0, [5, 17, 30, 100, 1, 40]):
        value, gradient = step(loss, layer, y_true, y_pred)
        expected.add(y_true, y_pred, error=error)
        t = expected.threshold(of_loss.percentile, of_loss.method)
        options = type(of_loss)(**of_loss.get_config() | {"error": error})
        wanted, slope = weighted(y_true, y_pred, t, options)
        np.testing.assert_allclose(value, wanted.mean(), rtol=2e-6)
        np.testing.assert_allclose(gradient, slope / slope.size, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("method", ["floor", "lower", "higher", "nearest", "midpoint", "linear"])
def test_threshold_is_numpys(method):
    """Of the last errors that are not ignored; with a hard step, what is above weighs more."""
    options = {"percentile": 0.83, "smoothing_factor": 1e6, "error_scale": 1.0, "method": method}
    loss = losses.PercentileLoss(
        **options, gradient="fixed_weight", ignore_nan=True, window=64, reduction="none"
    )
    layer = ErrorWindow(64)
    expected = Remembered(64)
    rng = np.random.default_rng(1)
    for y_true, y_pred in batches(2, rng.integers(1, 100, 40)):
        gone = rng.random(y_true.shape) < 0.3
        y_pred = np.where(gone, np.nan, y_pred).astype("float32")
        values = loss(y_true, layer(tf.constant(y_pred), training=True)).numpy()
        expected.add(y_true, y_pred, ~gone)
        if not expected.errors:
            continue
        t, e = expected.threshold(0.83, method), np.abs(y_pred - y_true)[:, 0]
        clear = (np.abs(e - t) > 1e-4) & ~gone[:, 0]
        np.testing.assert_allclose(values[clear], (e * np.where(e > t, 2, 1))[clear], rtol=2e-6)
        assert (values[gone[:, 0]] == 0).all()


@pytest.mark.parametrize("percentile", [0.0, 0.5, 0.83, 0.95])
def test_cvar(percentile):
    """T + mean(max(v − t, 0))/(1 − p), and what is at t has what is left of the mass."""
    loss = losses.CVaRLoss("mae", percentile, window=50)
    layer = ErrorWindow(50)
    expected = Remembered(50)
    for y_true, y_pred in batches(3, [9, 30, 80, 2, 50]):
        value, gradient = of_step(loss, layer, y_true, y_pred)
        expected.add(y_true, y_pred)
        w = np.sort(np.array(expected.errors, float))
        n, v = len(w), np.abs(y_pred - y_true)[:, 0].astype(float)
        t = w[min(int(n * percentile + 1e-9), n - 1)]
        np.testing.assert_allclose(
            value, t + np.maximum(v - t, 0).mean() / (1 - percentile), rtol=2e-5
        )
        above = v > t * (1 + 1e-6)
        each = np.sign(y_pred - y_true)[:, 0] / (1 - percentile) / len(v)
        np.testing.assert_allclose(gradient.numpy()[above, 0], each[above], rtol=2e-5)
        assert (gradient.numpy()[v < t * (1 - 1e-6), 0] == 0).all()


def test_cvar_of_a_window_that_is_the_batch_is_that_without():
    y_true, y_pred = next(batches(4, [60]))
    y_pred[10:30] = y_true[10:30] + 1  # that tie
    for p in (0.0, 0.3, 0.6, 0.9, 0.99):
        with_window, without = (
            of_step(losses.CVaRLoss("mae", p, window=m), layer, y_true, y_pred)
            for m, layer in ((60, ErrorWindow(60)), (None, keras.layers.Identity()))
        )
        for a, b in zip(with_window, without, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_equal_values_have_a_gradient():
    """All at the threshold: each has its share of the mass."""
    loss, layer = losses.CVaRLoss("mae", 0.9, window=100), ErrorWindow(100)
    for _ in range(3):
        _, gradient = of_step(loss, layer, np.zeros((8, 1), "float32"), np.ones((8, 1), "float32"))
        np.testing.assert_allclose(gradient, 1 / 8, rtol=1e-6)


@pytest.mark.parametrize("weighted_by", ["sample_weight", "mask"])
@pytest.mark.parametrize("name", ["PercentileLoss", "TailWeightedLoss", "CVaRLoss"])
def test_sample_weights_and_masks(name, weighted_by):
    """Weights have no say in the selection; what is masked is not remembered."""
    y_true, y_pred = next(batches(5, [30]))
    kept = np.random.default_rng(0).random(30) < 0.5
    own = {} if name == "CVaRLoss" else {"gradient": "fixed_weight"}
    make = getattr(losses, name)
    loss, layer = (
        make(window=30, **({} if name == "PercentileLoss" else {"loss": "mae"}), **own),
        ErrorWindow(30),
    )
    x = tf.convert_to_tensor(y_pred)
    predictions = layer(x, training=True)
    if weighted_by == "mask":
        predictions._keras_mask = tf.constant(kept)
        value = loss(y_true, predictions)
        wanted = loss(y_true[kept], ErrorWindow(30)(tf.constant(y_pred[kept]), training=True))
        assert float(layer.written) == (30 if name == "PercentileLoss" else kept.sum())
        if name != "PercentileLoss":  # to which Keras's mask is one of its means
            np.testing.assert_allclose(value, wanted, rtol=1e-6)
        return
    ones = loss(y_true, predictions, sample_weight=np.ones(30, "float32"))
    plain = loss(y_true, ErrorWindow(30)(x, training=True))
    np.testing.assert_allclose(ones, plain, rtol=1e-6)
    halves = loss(y_true, ErrorWindow(30)(x, training=True), sample_weight=np.full(30, 0.5))
    np.testing.assert_allclose(halves, plain / 2, rtol=1e-6)


@pytest.mark.parametrize("weighted_too", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean", "none", None, "mean_with_sample_weight"])
@pytest.mark.parametrize("name", ["PercentileLoss", "TailWeightedLoss", "CVaRLoss"])
def test_reductions(name, reduction, weighted_too):
    """As without a window, where that has the batch alone."""
    y_true, y_pred = next(batches(7, [40]))
    weight = np.linspace(0.5, 2, 40, dtype="float32") if weighted_too else None
    own = {"gradient": "fixed_weight"} if name == "PercentileLoss" else {"loss": "mae"}
    make = getattr(losses, name)
    x = tf.constant(y_pred)
    found, without = (
        make(**own, window=m, reduction=reduction)(y_true, layer(x, training=True), weight)
        for m, layer in ((40, ErrorWindow(40)), (None, keras.layers.Identity()))
    )
    if name == "CVaRLoss" and weighted_too:  # of t + max(v − t, 0)/(1 − p), each its weight
        v = np.abs(y_pred - y_true)[:, 0].astype(float)
        t = np.sort(v)[38]
        parts = weight * (t + np.maximum(v - t, 0) / 0.05)
        divisor = weight.sum() if reduction == "mean_with_sample_weight" else 40
        without = parts.sum() / divisor
    np.testing.assert_allclose(found, without, rtol=1e-5)


@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_numbers_that_a_step_reads(mode):
    """Variables: the same as numbers, as they change."""
    p = keras.Variable(0.5, dtype="float64")
    for make in (
        lambda p: losses.TailWeightedLoss("mae", p, window=30),
        lambda p: losses.PercentileLoss(p, gradient="fixed_threshold", window=30),
        lambda p: losses.CVaRLoss("mae", p, window=30),
    ):
        read, layer, known = make(p), ErrorWindow(30), ErrorWindow(30)
        layer.build((None, 1))

        def step(y_true, y_pred, read=read, layer=layer):
            return of_step(read, layer, y_true, y_pred)

        call = step if mode == "eager" else tf.function(step, jit_compile=mode == "xla")
        for number, (y_true, y_pred) in zip((0.5, 0.9, 0.25), batches(8, [20] * 3), strict=True):
            p.assign(number)
            found = call(tf.constant(y_true), tf.constant(y_pred))
            expected = of_step(make(number), known, y_true, y_pred)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["PercentileLoss", "TailWeightedLoss", "CVaRLoss"])
def test_types(name, dtype):
    y_true, y_pred = next(batches(6, [50]))
    own = {"gradient": "fixed_weight"} if name == "PercentileLoss" else {"loss": "mae"}
    loss = getattr(losses, name)(percentile=0.9, window=50, dtype=dtype, **own)
    layer = ErrorWindow(50, dtype="float64" if dtype == "float64" else "float32")
    rounded = [tf.cast(x, dtype) for x in (y_true, y_pred)]
    value = loss(rounded[0], layer(tf.cast(rounded[1], layer.compute_dtype), training=True))
    same = getattr(losses, name)(percentile=0.9, window=50, dtype="float64", **own)
    wide = ErrorWindow(50, dtype="float64")
    exact = same(
        *(
            tf.cast(x, "float64") if i == 0 else wide(tf.cast(x, "float64"), training=True)
            for i, x in enumerate(rounded)
        )
    )
    assert value.dtype == dtype
    tolerance = {"float64": 1e-12, "float16": 2e-3, "bfloat16": 2e-2}[dtype]
    np.testing.assert_allclose(float(value), float(exact), rtol=tolerance)


def test_nan_stays_until_it_is_pushed_out():
    loss = losses.PercentileLoss(0.5, gradient="fixed_weight", window=4)
    layer = ErrorWindow(4)
    seen = []
    for batch in ([1.0, np.nan], [1.0, 2.0], [3.0], [1.0, 2.0]):
        value, _ = of_step(loss, layer, np.zeros((len(batch), 1)), np.array(batch)[:, None])
        seen.append(bool(np.isnan(value)))
    assert seen == [True, True, True, False]
