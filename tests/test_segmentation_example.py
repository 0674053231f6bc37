"""The program that segments small shapes: its images, scores, losses, table and picture."""

import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def example():
    sys.path.insert(0, str(EXAMPLES))
    yield importlib.import_module("segment_hard_pixels")
    sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def data(example):
    return example.images(64, seed=3)


@pytest.fixture(scope="module")
def logits(example, data):
    shape = (*data.labels.shape, len(example.CLASSES))
    return 3 * np.random.default_rng(0).standard_normal(shape).astype("float32")


def in_float64(logits, labels):
    """The cross-entropy of every pixel, also where the label is missing."""
    x = np.float64(logits)
    of_class = np.take_along_axis(x, (labels % 255)[..., None].astype(int), -1)[..., 0]
    return np.log(np.exp(x).sum(-1)) - of_class


def largest(values, number):
    """The mean of so many, the last of them in part."""
    ordered = np.sort(values)[::-1]
    whole = int(number)
    return (ordered[:whole].sum() + (number - whole) * np.append(ordered, 0)[whole]) / number


def test_a_seed_makes_the_same_images(example, data):
    for one, other in zip(example.images(64, seed=3), data, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (example.images(64, seed=4).pixels != data.pixels).mean() > 0.9


def test_a_fifth_of_the_labels_is_missing(example, data):
    ignored = data.labels == example.IGNORED
    np.testing.assert_allclose(ignored.mean((1, 2)), 0.2, atol=1 / 4096)
    np.testing.assert_array_equal(data.labels[~ignored], data.classes[~ignored])


def test_shapes_are_rare_and_brighter(example, data):
    share = np.bincount(data.classes.ravel(), minlength=len(example.CLASSES)) / data.classes.size
    assert (share > 0.001).all()
    assert (share[example.FIRST_RARE :] < 0.02).all()
    rare = data.classes >= example.FIRST_RARE
    assert data.pixels[rare].mean() > data.pixels[~rare].mean() + 1


def test_wrong_labels(example, data):
    labels = example.images(64, seed=3, wrong_labels=0.1).labels
    differ = (labels != data.classes)[labels != example.IGNORED]
    np.testing.assert_allclose(differ.mean(), 0.1 * 4 / 5, atol=0.005)


def test_scores(example):
    classes = np.array([[[0, 0, 1, 2]]], np.uint8)
    logits = np.full((1, 1, 4, 5), -50.0, np.float32)
    logits[0, 0, range(4), [0, 1, 1, 2]] = [0.0, 2.0, 0.0, 0.0]
    logits[0, 0, 1, 0] = 0.0
    found = example.scores(logits, classes)
    # Ground: one of two; field: one of two; discs: all; none of the others is anywhere.
    assert found["common IoU"] == 0.5
    assert found["rare IoU"] == pytest.approx(1 / 3)
    assert found["mean IoU"] == pytest.approx(2 / 5)
    assert found["worst 1 %"] == pytest.approx(np.log(1 + np.exp(2)))
    assert found["mean loss"] == pytest.approx(np.log(1 + np.exp(2)) / 4)


def test_the_losses_are_what_they_are_called(example, data, logits):
    by_pixel = in_float64(logits, data.labels)
    labelled = data.labels != example.IGNORED
    values = by_pixel[labelled]
    ordered = np.sort(values)
    kept = values >= min(-np.log(0.7), ordered[-2500])
    tops = [largest(v[m], 0.2 * m.sum()) for v, m in zip(by_pixel, labelled, strict=True)]
    threshold = ordered[int(0.95 * values.size)]
    in_tail = 0.5 * (1 + np.tanh(5 * (values - threshold)))
    expected = {
        "cross-entropy": values.mean(),
        "focal": ((1 - np.exp(-values)) ** 2 * values).mean(),
        "OHEM": values[kept].mean(),
        "CVaR": largest(values, 0.1 * values.size),
        "average top-k": np.mean(tops),
        "tail-weighted": (values * (1 + 20 * in_tail)).mean(),
    }
    assert 2500 < kept.sum() < values.size
    assert list(expected) == list(example.LOSSES)
    for name, make in example.LOSSES.items():
        # That of a function is yet to be averaged, as `compile` does.
        found = np.mean(make()(data.labels, logits))
        np.testing.assert_allclose(found, expected[name], rtol=2e-5)


NAMES = ["cross-entropy", "focal", "OHEM", "CVaR", "average top-k", "tail-weighted"]


@pytest.mark.parametrize("name", NAMES)
def test_no_gradient_where_the_label_is_missing(example, data, logits, name):
    predictions = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = tf.reduce_mean(example.LOSSES[name]()(data.labels, predictions))
    slope = np.abs(tape.gradient(loss, predictions)).sum(-1)
    assert (slope[data.labels == example.IGNORED] == 0).all()
    assert np.isfinite(slope).all()
    assert (slope > 0).any((1, 2)).all()


@pytest.mark.parametrize("name", NAMES)
def test_without_any_label_there_is_nothing_to_learn(example, data, logits, name):
    predictions = tf.constant(logits[:2])
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        nowhere = np.full_like(data.labels[:2], example.IGNORED)
        loss = tf.reduce_mean(example.LOSSES[name]()(nowhere, predictions))
    assert loss == 0
    assert (tape.gradient(loss, predictions).numpy() == 0).all()


def test_an_image_without_labels_is_not_counted(example, data, logits):
    labels = data.labels[:3].copy()
    labels[1] = example.IGNORED
    loss = example.LOSSES["average top-k"]()
    with_it, without = loss(labels, logits[:3]), loss(labels[[0, 2]], logits[[0, 2]])
    np.testing.assert_allclose(with_it, without, rtol=1e-6)


@pytest.mark.extended
def test_the_whole_program(example, tmp_path, monkeypatch, capsys):
    options = "--epochs 1 --images 16 --width 2 --rounds 2 --seeds 1 --wrong-labels 0.05"
    monkeypatch.setattr(sys, "argv", f"segment {options} --output {tmp_path}".split())
    example.main()
    printed = capsys.readouterr().out
    assert "16 images of 64 × 64, batches of 8, 1 epochs, 5% wrong labels, 1 seeds" in printed
    for name in example.LOSSES:
        (row,) = re.findall(rf"^{name}  (.*)$", printed, re.MULTILINE)
        assert np.isfinite([float(cell) for cell in row.split()]).all()
    assert (tmp_path / "hard_pixels.png").stat().st_size > 10_000
    assert str(tmp_path / "hard_pixels.png") in printed
