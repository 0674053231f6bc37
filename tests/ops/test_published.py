"""Equal to the three published losses on 1-D input, and right where they are not."""

import numpy as np
import pytest
import tensorflow as tf

from tailops.losses import hybrid_percentile_loss, max_fraction_loss, percentile_loss


def published_v1(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    threshold = tf.reduce_max(error) * 0.99
    weight = 1.0 + 10.0 * 0.5 * (1.0 + tf.tanh(100.0 * (error - threshold)))
    return tf.reduce_mean(error * weight)


def published_v2(y_true, y_pred):
    error = tf.abs(y_true - y_pred)
    index = tf.cast(tf.floor(tf.cast(tf.shape(error)[0], error.dtype) * 0.99), tf.int32)
    threshold = tf.gather(tf.sort(error), index)
    weight = 1.0 + 10.0 * 0.5 * (1.0 + tf.tanh(100.0 * (error - threshold)))
    return tf.reduce_mean(error * weight)


def published_v3(y_true, y_pred):
    mse = tf.reduce_mean(tf.square(y_true - y_pred))
    return 0.2 * mse + 0.8 * published_v2(y_true, y_pred)


PAIRS = [
    (max_fraction_loss, published_v1),
    (percentile_loss, published_v2),
    (hybrid_percentile_loss, published_v3),
]


@pytest.mark.parametrize(("ours", "published"), PAIRS)
@pytest.mark.parametrize("n", [1, 2, 31, 100, 101, 512, 3001])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradient_on_vectors(ours, published, n, dtype):
    rng = np.random.default_rng(n)
    y_true = tf.constant(rng.uniform(size=n).astype(dtype))
    y_pred = tf.constant(rng.uniform(size=n).astype(dtype))
    results = []
    for loss in (lambda *pair: tf.reduce_mean(ours(*pair)), published):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        results.append((value, tape.gradient(value, y_pred)))
    (value, slope), (expected_value, expected_slope) = results
    # In float32 the published formulas' own rounding is beyond 1e-6.
    tolerance, slope_tolerance = (2e-6, 2e-5) if dtype == np.float32 else (1e-12, 1e-11)
    np.testing.assert_allclose(value, expected_value, rtol=tolerance)
    np.testing.assert_allclose(
        slope, expected_slope, rtol=0, atol=slope_tolerance * np.abs(expected_slope).max()
    )


def test_v2_is_wrong_on_columns_and_we_are_not():
    rng = np.random.default_rng(0)
    y_true = rng.uniform(size=(200, 1)).astype(np.float32)
    y_pred = rng.uniform(size=(200, 1)).astype(np.float32)
    flat = tf.reduce_mean(percentile_loss(y_true[:, 0], y_pred[:, 0]))
    column = tf.reduce_mean(percentile_loss(y_true, y_pred))
    np.testing.assert_allclose(column, flat, rtol=1e-7)
    assert abs(float(published_v2(y_true, y_pred)) - float(flat)) > 0.01
