"""`weighted=True`: a sample of weight k is as k of them, in the percentile and in all else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops.losses import (
    CVaRLoss,
    HybridPercentileLoss,
    PercentileLoss,
    TailWeightedLoss,
    TrimmedLoss,
)

FIXED = {"gradient": "fixed_weight", "smoothing_factor": 2.0, "weighted": True}
LOSSES = {
    "percentile": lambda **more: PercentileLoss(0.8, **FIXED, **more),
    "fixed threshold": lambda **more: PercentileLoss(
        0.8, 2.0, gradient="fixed_threshold", weighted=True, **more
    ),
    "squared": lambda **more: PercentileLoss(0.8, error="squared", **FIXED, **more),
    "inverted_cdf": lambda **more: PercentileLoss(0.8, method="inverted_cdf", **FIXED, **more),
    "hybrid": lambda **more: HybridPercentileLoss(0.8, **FIXED, **more),
    "tail of errors": lambda **more: TailWeightedLoss("mae", 0.8, **FIXED, **more),
    "tail of any": lambda **more: TailWeightedLoss("huber", 0.8, **FIXED, **more),
    "cvar": lambda **more: CVaRLoss("mae", 0.8, weighted=True, **more),
    "trimmed": lambda **more: TrimmedLoss("mse", 0.3, weighted=True, **more),
}
MEANS_OF_RANGES = ("cvar", "trimmed")


def batch(n=200, dtype="float32"):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.standard_normal((2, n, 1)).astype(dtype)
    return y_true, y_pred, rng.integers(0, 4, n).astype("float32")


def value_and_gradient(loss, y_true, y_pred, weights=None):
    y_pred = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = loss(y_true, y_pred, weights)
    return value, tape.gradient(value, y_pred)


@pytest.mark.parametrize("name", LOSSES)
def test_as_many_samples(name):
    """The sums of losses, and what arrives at a sample is what arrives at all of its copies."""
    y_true, y_pred, weights = batch()
    copies = weights.astype(int)
    reduction = "mean" if name in MEANS_OF_RANGES else "sum"
    loss = LOSSES[name](reduction=reduction)
    value, gradient = value_and_gradient(loss, y_true, y_pred, weights)
    repeated = [np.repeat(y, copies, 0) for y in (y_true, y_pred)]
    expected, of_copies = value_and_gradient(loss, *repeated)
    np.testing.assert_allclose(value, expected, rtol=3e-6)
    owner = np.repeat(np.arange(len(copies)), copies)
    together = np.bincount(owner, of_copies.numpy()[:, 0], len(copies))
    np.testing.assert_allclose(gradient[:, 0], together, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_weights_of_one_change_nothing(name, dtype):
    y_true, y_pred, weights = batch(dtype=dtype)
    loss = LOSSES[name](dtype=dtype)
    ones = np.ones_like(weights)
    found = value_and_gradient(loss, y_true, y_pred, ones)
    loss.weighted = False
    expected = value_and_gradient(loss, y_true, y_pred, None)
    tolerance = {"rtol": 4e-3, "atol": 4e-3} if dtype == "float16" else {"rtol": 1e-5}
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, **tolerance)


@pytest.mark.parametrize("name", ["percentile", "tail of any", "cvar"])
def test_what_is_masked_counts_for_nothing(name):
    y_true, y_pred, weights = batch()
    kept = weights > 1
    loss = LOSSES[name](reduction="sum")
    masked = tf.constant(y_pred)
    masked._keras_mask = tf.constant(kept)
    found = loss(y_true, masked, weights)
    expected = loss(y_true[kept], y_pred[kept], weights[kept])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_ignored_elements():
    y_true, y_pred, weights = batch()
    y_true[::3], y_pred[1::3] = np.nan, y_pred[1::3] * 9
    kept = ~np.isnan(y_true[:, 0])
    options = {**FIXED, "reduction": "sum"}
    found = PercentileLoss(0.8, ignore_nan=True, **options)(y_true, y_pred, weights)
    expected = PercentileLoss(0.8, **options)(y_true[kept], y_pred[kept], weights[kept])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_groups():
    """Pixels of images, each a group, weighted by themselves or by their image."""
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.random((2, 3, 8, 8, 1)).astype("float32")
    weights = rng.integers(0, 3, (3, 8, 8)).astype("float32")
    loss = CVaRLoss("mse", 0.7, axis=(1, 2), weighted=True, reduction="none")
    found = loss(y_true, y_pred, weights)
    for image in range(3):
        own = CVaRLoss("mse", 0.7, weighted=True)
        expected = own(y_true[image], y_pred[image], weights[image])
        np.testing.assert_allclose(found[image], expected, rtol=1e-6)
    by_image = loss(y_true, y_pred, np.array([1.0, 2.0, 0.0]))
    alike = loss(y_true, y_pred)
    np.testing.assert_allclose(by_image[:2], alike[:2], rtol=1e-6)
    assert by_image[2] == 0  # of which nothing counts


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_training(name, jit_compile):
    """Two samples of weight 2 train as four of weight 1."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((32, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
    weights = rng.integers(1, 4, 32).astype("float32")
    copies = weights.astype(int)
    trained = []
    for inputs, targets, own in (
        (x, y, weights),
        (np.repeat(x, copies, 0), np.repeat(y, copies, 0), np.ones(copies.sum(), "float32")),
    ):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.set_weights([np.full((3, 1), 0.1), np.zeros(1)])
        loss = LOSSES[name](reduction="mean" if name in MEANS_OF_RANGES else "sum")
        model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=jit_compile)
        model.fit(inputs, targets, len(inputs), 3, sample_weight=own, shuffle=False, verbose=0)
        trained.append(model.get_weights()[0])
    np.testing.assert_allclose(*trained, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_it_is_saved(name):
    loss = LOSSES[name]()
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.weighted
    y_true, y_pred, weights = batch()
    np.testing.assert_array_equal(again(y_true, y_pred, weights), loss(y_true, y_pred, weights))


def test_a_scheduled_percentile():
    percentile = keras.Variable(0.2, trainable=False)
    loss = PercentileLoss(percentile, **FIXED)
    y_true, y_pred, weights = batch()
    for p in (0.2, 0.9):
        percentile.assign(p)
        expected = PercentileLoss(p, **FIXED)(y_true, y_pred, weights)
        np.testing.assert_allclose(loss(y_true, y_pred, weights), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: PercentileLoss(weighted=True), ValueError, "gradient='exact' with weighted=True"),
        (lambda: PercentileLoss(0.9, method="linear", **FIXED), ValueError, "method='linear'"),
        (lambda: PercentileLoss(0.9, window=9, **FIXED), ValueError, "window=9 with weighted"),
        (lambda: PercentileLoss(weighted=1), TypeError, "weighted=1: must be a bool, not int"),
        (
            lambda: PercentileLoss(0.9, synchronized=True, **FIXED),
            ValueError,
            "synchronized=True with weights: must be False",
        ),
        (
            lambda: CVaRLoss("mae", synchronized=True, weighted=True),
            ValueError,
            "synchronized=True with weights: must be False",
        ),
        (lambda: CVaRLoss("mae", window=9, weighted=True), ValueError, "window=9 with weighted"),
        (lambda: TailWeightedLoss("mae", weighted=True, window=3), ValueError, "window=3"),
        (
            lambda: CVaRLoss("mae", weighted=True)(*batch()[:2], np.ones(3)),
            ValueError,
            r"sample_weight of shape \(3,\): must broadcast",
        ),
        (
            lambda: CVaRLoss("mae", weighted=True)(*batch()[:2], -np.ones(200)),
            tf.errors.InvalidArgumentError,
            "weights: must be finite and at least 0, and one is -1",
        ),
    ],
)
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()
