"""The op that writes a batch's errors into a window, against a deque."""

import numpy as np
import pytest
import tensorflow as tf
from remembered import Remembered, oldest_first, stream

from tailops import _kernels
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library
from tailops.ops import TailOptions

TYPES = ["float32", "float64", "float16", "bfloat16"]


def remember(y_true, y_pred, window, written, options=None, mask=None, frozen=False):
    return library.tailops_remember(
        y_true=y_true,
        y_pred=y_pred,
        window=window,
        written=written,
        mask=[] if mask is None else [mask],
        frozen=frozen,
        **attributes_of(options or TailOptions()),
    )


def in_xla(*arguments, **named):
    return tf.function(remember, jit_compile=True)(*arguments, **named)


def check_stream(seed, size, lengths, dtype, call=remember, error="absolute", **how):
    """Batches of these lengths, one after the other."""
    rng = np.random.default_rng(seed)
    wide = "float64" if dtype == "float64" else "float32"
    window, written = np.zeros(size, wide), np.zeros((), wide)
    expected = Remembered(size)
    options = TailOptions(error=error, ignore_nan=how.get("nan", False))
    narrow = tf.as_dtype(dtype).as_numpy_dtype
    for y_true, y_pred, mask, valid in stream(rng, lengths, narrow, **how):
        window, written = call(y_true, y_pred, window, written, options, mask)
        expected.add(y_true.astype(wide), y_pred.astype(wide), valid, error)
        np.testing.assert_array_equal(
            oldest_first(window.numpy(), written.numpy()), np.array(expected.errors, wide)
        )


@pytest.mark.parametrize("dtype", TYPES)
def test_every_small_size(dtype):
    for size in (1, 2, 7, 31, 64):
        check_stream(size, size, range(71), dtype, masked=size % 2 == 0)


@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("nan", [False, True])
def test_random_streams(error, masked, nan):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        size = int(rng.integers(1, 300))
        batches = rng.integers(0, 2 * size + 2, 12)
        check_stream(seed, size, batches, "float32", error=error, masked=masked, nan=nan)


def test_batches_of_many_blocks():
    """Of which the window is the last part, or which are less than it."""
    for size in (100, 8192, 8193, 40_000):
        check_stream(0, size, [8191, 30_000, 8193, 1, 50_000], "float32", masked=True)


@pytest.mark.parametrize("dtype", TYPES)
def test_inside_xla(dtype):
    for seed in range(3):
        check_stream(seed, 50, [7, 50, 0, 120, 33], dtype, call=in_xla, masked=seed > 0)


@pytest.mark.parametrize("call", [remember, in_xla])
def test_what_is_frozen_stays_unless_it_is_empty(call):
    y_pred = tf.constant([1.0, -2.0])
    zeros = tf.zeros(2)
    empty = tf.zeros(4), tf.zeros(())
    window, written = call(zeros, y_pred, *empty, frozen=True)
    assert window.numpy().tolist() == [1.0, 2.0, 0.0, 0.0]
    assert float(written) == 2
    again, count = call(zeros, 5 * y_pred, window, written, frozen=True)
    assert again.numpy().tolist() == window.numpy().tolist()
    assert float(count) == 2


@pytest.mark.parametrize("call", [remember, in_xla])
def test_what_has_the_value_to_ignore_is_not_remembered(call):
    options = TailOptions(ignore_value=-1.0)
    window, written = call([0.0, -1.0, 0.0], [1.0, 7.0, 2.0], np.zeros(4, "f4"), 0.0, options)
    assert oldest_first(window.numpy(), written.numpy()).tolist() == [1.0, 2.0]


def test_nan_is_remembered():
    window, written = remember(tf.zeros(3), [1.0, np.nan, 2.0], tf.zeros(4), tf.zeros(()))
    np.testing.assert_array_equal(oldest_first(window.numpy(), written), [1, np.nan, 2])


@pytest.mark.parametrize("written", [-1.0, 8.0, np.nan, np.inf])
def test_what_no_window_counts_is_an_empty_one(written):
    window, count = remember(tf.zeros(2), [1.0, 2.0], tf.zeros(4), tf.constant(written))
    assert oldest_first(window.numpy(), count.numpy()).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("call", [remember, in_xla])
@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        (
            (np.zeros(3, "f4"), np.zeros(3, "f4"), np.zeros((2, 2), "f4"), np.zeros((), "f4")),
            {},
            "rank 1|window of shape",
        ),
        (
            (np.zeros(3, "f4"), np.zeros(3, "f4"), np.zeros(0, "f4"), np.zeros((), "f4")),
            {},
            r"window of shape \(0,?\)",
        ),
        (
            (np.zeros(3, "f4"), np.zeros(3, "f4"), np.zeros(2, "f4"), np.zeros(1, "f4")),
            {},
            "rank 0|written of shape",
        ),
        (
            (np.zeros(3, "f4"), np.zeros(4, "f4"), np.zeros(2, "f4"), np.zeros((), "f4")),
            {},
            "y_true|must be equal",
        ),
        (
            (np.zeros(3), np.zeros(3), np.zeros(2, "f4"), np.zeros((), "f4")),
            {},
            "window of dtype (float|F32): must be (double|F64)",
        ),
        (
            (np.zeros((3, 2), "f4"), np.zeros((3, 2), "f4"), np.zeros(2, "f4"), np.zeros((), "f4")),
            {"options": TailOptions(axis=0)},
            "2 groups",
        ),
    ],
)
def test_errors(call, arguments, named, message):
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        call(*map(tf.constant, arguments), **named)
