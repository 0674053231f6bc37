"""The masked metrics against loops in NumPy, over several batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops.metrics import (
    MaskedCategoricalAccuracy,
    MaskedCosineSimilarity,
    MaskedMeanAbsoluteError,
    MaskedMeanSquaredError,
    MaskedSparseCategoricalCrossentropy,
)

ERRORS = [(MaskedMeanSquaredError, np.square), (MaskedMeanAbsoluteError, np.abs)]
SIZES = (7, 1, 12, 3)


def regression_batches(shape=(3,), nan=0.0, seed=0):
    rng = np.random.default_rng(seed)
    for n in SIZES:
        y_true = rng.integers(-2, 4, (n, *shape)).astype("float32")
        y_pred = rng.standard_normal((n, *shape)).astype("float32")
        y_true[rng.random(y_true.shape) < nan] = np.nan
        y_pred[rng.random(y_pred.shape) < nan] = np.nan
        yield y_true, y_pred


def weights_of(kind, y, rng):
    shape = {
        None: None,
        "scalar": (),
        "per_sample": y.shape[:1],
        "column": (y.shape[0],) + (1,) * (y.ndim - 1),
        "per_element": y.shape,
    }[kind]
    return None if shape is None else rng.uniform(0, 2, shape).astype("float32")


def full(weights, y):
    if weights is None:
        return np.ones(y.shape)
    weights = np.asarray(weights)
    return np.broadcast_to(weights.reshape(weights.shape + (1,) * (y.ndim - weights.ndim)), y.shape)


def loop_of_errors(batches, function, ignore_value, ignore_nan):
    total = count = 0.0
    for y_true, y_pred, weights, mask in batches:
        elements = zip(y_true.flat, y_pred.flat, weights.flat, mask.flat, strict=True)
        for y, p, w, kept in elements:
            if not kept or y == ignore_value or (ignore_nan and (np.isnan(y) or np.isnan(p))):
                continue
            total += w * function(np.float64(p) - y)
            count += w
    return total / count if count else 0.0


@pytest.mark.parametrize(("cls", "function"), ERRORS)
@pytest.mark.parametrize("kind", [None, "scalar", "per_sample", "column", "per_element"])
@pytest.mark.parametrize(
    ("mask", "shape"), [(False, ()), (True, (1,)), (False, (3,)), (True, (2, 3))]
)
def test_errors_over_batches(cls, function, kind, mask, shape):
    rng = np.random.default_rng(1)
    metric = cls(ignore_nan=True)
    seen = []
    for y_true, y_pred in regression_batches(shape, nan=0.2):
        weights = weights_of(kind, y_true, rng)
        kept = rng.random(y_true.shape[:1]) < (0.6 if mask else 2)
        predictions = tf.constant(y_pred)
        if mask:
            predictions._keras_mask = tf.constant(kept)
        metric.update_state(y_true, predictions, weights)
        seen.append((y_true, y_pred, full(weights, y_true), full(kept, y_true)))
        expected = loop_of_errors(seen, function, -1.0, True)
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    metric.reset_state()
    assert metric.result() == 0
    metric.update_state([[1.0]], [[3.0]])
    assert metric.result() == function(2.0)


@pytest.mark.parametrize(("cls", "function"), ERRORS)
def test_as_keras_where_nothing_is_missing(cls, function):  # noqa: ARG001
    """The same numbers as Keras's own metric, weights included."""
    theirs = {
        MaskedMeanSquaredError: keras.metrics.MeanSquaredError,
        MaskedMeanAbsoluteError: keras.metrics.MeanAbsoluteError,
    }[cls]()
    ours = cls(ignore_value=None)
    rng = np.random.default_rng(0)
    for n in SIZES:
        y_true, y_pred = rng.standard_normal((2, n, 5)).astype("float32")
        weights = rng.uniform(size=n).astype("float32")
        for metric in (ours, theirs):
            metric.update_state(y_true, y_pred, weights)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-6)


@pytest.mark.parametrize(("cls", "function"), ERRORS)
@pytest.mark.parametrize("hidden", [np.nan, np.inf, -np.inf, 3e38])
def test_ignored_elements_hold_anything(cls, function, hidden):
    metric = cls()
    metric.update_state([-1.0, 1.0], [hidden, 4.0])
    assert metric.result() == function(3.0)


def test_nan_is_not_ignored_unless_asked():
    for y_true, y_pred in [([np.nan, 0.0], [1.0, 1.0]), ([0.0, 0.0], [np.nan, 1.0])]:
        metric = MaskedMeanSquaredError()
        metric.update_state(y_true, y_pred)
        assert np.isnan(metric.result())
        metric = MaskedMeanSquaredError(ignore_nan=True)
        metric.update_state(y_true, y_pred)
        assert metric.result() == 1


def test_weight_zero_does_not_ignore_as_in_keras():
    for metric in (MaskedMeanSquaredError(), keras.metrics.MeanSquaredError()):
        metric.update_state([[0.0], [0.0]], [[np.nan], [1.0]], sample_weight=[0.0, 1.0])
        assert np.isnan(metric.result())


@pytest.mark.parametrize(("cls", "function"), ERRORS)
def test_all_ignored(cls, function):
    metric = cls()
    metric.update_state([-1.0, -1.0], [1.0, np.nan])
    assert metric.result() == 0
    metric.update_state([-1.0, 0.0], [1.0, 2.0])
    assert metric.result() == function(2.0)


def test_integer_labels_and_other_dtypes():
    metric = MaskedMeanSquaredError(ignore_value=200)
    metric.update_state(np.uint8([200, 3]), np.float16([1, 5]))
    assert metric.result() == 4
    assert metric.result().dtype == "float32"
    metric = MaskedMeanSquaredError(ignore_value=0.1, dtype="float64")
    metric.update_state(np.float32([0.1, 0.0]), np.float32([7, 2]))
    metric.update_state(np.float64([0.1, 0.0]), np.float64([7, 2]))
    assert metric.result() == 4
    assert metric.result().dtype == "float64"
    metric = MaskedMeanSquaredError(ignore_value=-np.inf)
    metric.update_state(np.float32([-np.inf, 0.0]), np.float32([7, 2]))
    assert metric.result() == 4


def test_many_batches_lose_nothing():
    """In float32 a sum of 2²⁴ stops growing by ones."""
    metric = MaskedMeanSquaredError()
    metric.update_state(np.zeros(1), np.ones(1, "float32"), sample_weight=2.0**24)
    for _ in range(10):
        metric.update_state(np.zeros(1), np.zeros(1, "float32"))
    assert float(metric.count) == 2.0**24 + 10


@pytest.mark.parametrize("from_logits", [None, False, True])
@pytest.mark.parametrize("ignore_values", [(), (0,), (0, 5), (1, 2, 3), (-1,)])
@pytest.mark.parametrize(
    ("kind", "mask", "shape"),
    [(None, False, ()), ("per_sample", True, (4,)), ("per_element", False, (4,))],
)
def test_classification_over_batches(from_logits, ignore_values, kind, mask, shape):
    """from_logits=None: the accuracy."""
    rng = np.random.default_rng(2)
    if from_logits is None:
        metric = MaskedCategoricalAccuracy(ignore_values)
    else:
        metric = MaskedSparseCategoricalCrossentropy(ignore_values, from_logits)
    total = count = 0.0
    for n in SIZES:
        labels = rng.integers(-1 if -1 in ignore_values else 0, 6, (n, *shape))
        scores = rng.standard_normal((n, *shape, 6)).astype("float32")
        p = np.exp(np.float64(scores)) / np.exp(np.float64(scores)).sum(-1, keepdims=True)
        weights = weights_of(kind, labels, rng)
        kept = rng.random(n) < (0.6 if mask else 2)
        given = tf.constant(p.astype("float32") if from_logits is False else scores)
        if mask:
            given._keras_mask = tf.constant(kept)
        metric.update_state(labels, given, weights)
        for i in np.ndindex(labels.shape):
            if labels[i] in ignore_values or not kept[i[0]]:
                continue
            w = full(weights, labels)[i]
            right = scores[i].argmax() == labels[i]
            total += w * (right if from_logits is None else -np.log(p[i][labels[i]]))
            count += w
        np.testing.assert_allclose(metric.result(), total / count if count else 0, rtol=1e-5)


def test_crossentropy_as_keras():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    scores = rng.dirichlet([0.05] * 3, 50).astype("float32")  # some are 0
    for y_pred, from_logits in [(scores, False), (np.log(scores + 1e-30), True), (2 * scores, 0)]:
        ours = MaskedSparseCategoricalCrossentropy((), bool(from_logits))
        theirs = keras.metrics.SparseCategoricalCrossentropy(from_logits=bool(from_logits))
        for metric in (ours, theirs):
            metric.update_state(labels, y_pred)
        np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5)


def test_columns_of_labels_and_every_integer_dtype():
    scores = np.eye(3, dtype="float32")[[1, 1, 2]]
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "int64", "uint32"):
        for labels in (np.array([1, 0, 1], dtype), np.array([[1], [0], [1]], dtype)):
            metric = MaskedCategoricalAccuracy((0,))
            metric.update_state(labels, scores)
            assert metric.result() == 0.5


def test_more_classes_than_the_dtype_can_name():
    scores = np.zeros((2, 300), "float32")
    scores[:, 100] = 1
    metric = MaskedCategoricalAccuracy(())
    metric.update_state(np.int8([100, 7]), scores)
    assert metric.result() == 0.5


def test_scores_with_nan():
    scores = np.float32([[np.nan, 1, 2], [0, 1, np.nan], [0, 0, 1]])
    metric = MaskedCategoricalAccuracy(())
    metric.update_state([0, 1, 2], scores)
    np.testing.assert_allclose(metric.result(), 1 / 3)
    metric = MaskedSparseCategoricalCrossentropy((0, 1))
    metric.update_state([0, 1, 2], scores)
    assert np.isfinite(metric.result())


def cosine(y, p):
    norms = np.sqrt((y * y).sum()) * np.sqrt((p * p).sum())
    return 0.0 if norms == 0 else (y * p).sum() / norms


@pytest.mark.parametrize("axis", [-1, 0, 1, -2, 2])
@pytest.mark.parametrize("kind", [None, "per_sample", "per_element"])
@pytest.mark.parametrize("hidden", [np.nan, np.inf, -np.inf])
def test_cosines_over_batches(axis, kind, hidden):
    rng = np.random.default_rng(3)
    metric = MaskedCosineSimilarity(axis)
    total = count = 0.0
    for n in SIZES:
        y_true, y_pred = rng.standard_normal((2, n, 4, 3)).astype("float32")
        y_true[rng.random(y_true.shape) < 0.4] = hidden
        y_pred[rng.random(y_pred.shape) < 0.3] = hidden
        rows = np.moveaxis(y_true, axis, -1), np.moveaxis(y_pred, axis, -1)
        weights = weights_of(kind, rows[0][..., 0], rng)
        metric.update_state(y_true, y_pred, weights)
        for i in np.ndindex(rows[0].shape[:-1]):
            y, p = (np.float64(t[i]) for t in rows)
            both = np.isfinite(y) & np.isfinite(p)
            if both.any():
                w = full(weights, rows[0][..., 0])[i]
                total += w * cosine(y[both], p[both])
                count += w
    np.testing.assert_allclose(metric.result(), total / count, rtol=1e-5)


def test_cosines_of_zero_large_and_small_rows():
    metric = MaskedCosineSimilarity()
    metric.update_state([[0.0, 0.0]], [[1.0, 1.0]])
    assert metric.result() == 0
    for scale in (1e30, 1e-30):
        metric = MaskedCosineSimilarity()
        metric.update_state(np.float32([[3, 4]]) * scale, np.float32([[4, 3]]) / scale)
        np.testing.assert_allclose(metric.result(), 24 / 25, rtol=1e-6)


def test_cosine_with_a_mask_of_rows():
    y_pred = tf.constant([[[1.0, 0.0], [0.0, 1.0]]])
    y_pred._keras_mask = tf.constant([[True, False]])
    metric = MaskedCosineSimilarity()
    metric.update_state([[[1.0, 0.0], [1.0, 0.0]]], y_pred)
    assert metric.result() == 1
