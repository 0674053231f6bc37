"""What the published metrics do, against a loop in NumPy: ours agree with the loop."""

import numpy as np
import tensorflow as tf

from tailops.metrics import (
    MaskedCategoricalAccuracy,
    MaskedCosineSimilarity,
    MaskedMeanSquaredError,
)


class PublishedMaskedMSE:
    """Adds up batch means, and divides by the number of elements."""

    def __init__(self):
        self.total = self.count = 0.0

    def update_state(self, y_true, y_pred):
        kept = tf.not_equal(y_true, -1.0)
        y_true, y_pred = tf.boolean_mask(y_true, kept), tf.boolean_mask(y_pred, kept)
        self.total += tf.reduce_mean(tf.square(y_true - y_pred))
        self.count += tf.cast(tf.size(y_true), tf.float32)

    def result(self):
        return self.total / self.count


def test_mean_squared_error():
    rng = np.random.default_rng(0)
    ours, published, squares = MaskedMeanSquaredError(), PublishedMaskedMSE(), []
    for n in (40, 7, 100):
        y_true = np.where(rng.random(n) < 0.3, -1, rng.uniform(size=n)).astype("float32")
        y_pred = rng.uniform(size=n).astype("float32")
        for metric in (ours, published):
            metric.update_state(y_true, y_pred)
        squares += [(p - y) ** 2 for y, p in zip(y_true, y_pred, strict=True) if y != -1]
    np.testing.assert_allclose(ours.result(), np.mean(squares), rtol=1e-6)
    assert published.result() < 0.1 * np.mean(squares)


def published_accuracy(y_true, y_pred, ignored):
    first, second = ignored
    kept = tf.logical_and(tf.not_equal(y_true, first), tf.not_equal(y_true, second))
    right = tf.equal(tf.argmax(y_pred, -1), y_true)
    return tf.reduce_mean(tf.cast(tf.boolean_mask(right, kept), tf.float32))


def test_categorical_accuracy():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 6, 200), rng.standard_normal((200, 6)).astype("float32")
    for ignored in [(), (3,), (0, 5), (0, 1, 5)]:
        metric = MaskedCategoricalAccuracy(ignored)
        metric.update_state(labels, scores)
        right = [s.argmax() == y for y, s in zip(labels, scores, strict=True) if y not in ignored]
        np.testing.assert_allclose(metric.result(), np.mean(right), rtol=1e-6)
        if len(ignored) == 2:
            np.testing.assert_allclose(
                published_accuracy(labels, scores, ignored), np.mean(right), rtol=1e-6
            )
        else:
            try:
                published_accuracy(labels, scores, ignored)
            except ValueError as error:
                assert "unpack" in str(error)  # noqa: PT017
            else:
                raise AssertionError(ignored)


def published_cosine(y_true, y_pred):
    kept = tf.logical_and(tf.math.is_finite(y_true), tf.math.is_finite(y_pred))
    y, p = tf.boolean_mask(y_true, kept), tf.boolean_mask(y_pred, kept)  # one vector of all rows
    return tf.reduce_sum(tf.math.l2_normalize(y) * tf.math.l2_normalize(p))


def test_cosine_similarity():
    rng = np.random.default_rng(0)
    y_true = rng.standard_normal((30, 8)).astype("float32")
    y_pred = (y_true * rng.uniform(0.1, 10, (30, 1))).astype("float32")  # cosine 1 in every row
    y_pred[::2] *= -1  # or −1
    y_true[rng.random(y_true.shape) < 0.3] = np.nan
    cosines = []
    for y, p in zip(y_true, y_pred, strict=True):
        kept = np.isfinite(y) & np.isfinite(p)
        cosines.append(y[kept] @ p[kept] / np.linalg.norm(y[kept]) / np.linalg.norm(p[kept]))
    metric = MaskedCosineSimilarity()
    metric.update_state(y_true, y_pred)
    np.testing.assert_allclose(metric.result(), np.mean(cosines), atol=1e-6)
    assert abs(float(published_cosine(y_true, y_pred)) - np.mean(cosines)) > 0.01
