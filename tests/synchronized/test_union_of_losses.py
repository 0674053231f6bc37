"""The tail loss of shares is, bit for bit, that of all of them on one device."""

import itertools

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from kinds import METHODS
from replicas import Replicas
from shares import MASKS, RESIDUALS, ROWS, SPLITS, assert_close, assert_same, batch, split

from tailops import _kernels, _synchronized
from tailops._options import TailOptions
from tailops._tensorflow import union
from tailops._tensorflow.attributes import attributes_of
from tailops._tensorflow.library import library
from tailops._tensorflow.tail_loss import tail_loss

TOLERANCE = {np.float16: 2e-3, ml_dtypes.bfloat16: 2e-2, np.float32: 1e-6, np.float64: 1e-12}
THRESHOLD_GRADIENT = _kernels.STATE_NAMES.index("threshold_gradient")
VALID = _kernels.STATE_NAMES.index("valid")


def upstream_of(rows):
    """Of some rows of the batch, whole numbers and halves of different sizes."""
    return (rows % 5 - 1.5)[:, None] + np.zeros((1, 3))


def differentiated(losses_of, y_true, y_pred, upstream):
    y_true, y_pred = tf.constant(y_true), tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch([y_true, y_pred])
        losses = losses_of(y_true, y_pred)
    slopes = tape.gradient(losses, [y_true, y_pred], tf.cast(upstream, losses.dtype))
    return losses.numpy(), *(None if slope is None else slope.numpy() for slope in slopes)


def on_one_device(arrays, upstream, options):
    y_true, y_pred, mask = arrays
    return differentiated(
        lambda t, p: tail_loss(t, p, options, reduction="none", mask=mask), y_true, y_pred, upstream
    )


def on_replicas(arrays, upstream, options, cuts):
    def step(y_true, y_pred, mask, arriving, all_reduce):
        return differentiated(
            lambda t, p: union.tail_loss(t, p, options, mask=mask, all_reduce=all_reduce),
            y_true,
            y_pred,
            arriving,
        )

    shares = split((*arrays, upstream), cuts)
    found = Replicas(len(shares)).run(step, shares)
    return [
        None if parts[0] is None else np.concatenate(parts) for parts in zip(*found, strict=True)
    ]


def state_on_one_device(arrays, options):
    y_true, y_pred, mask = arrays
    _, state = library.tailops_tail_loss(
        numbers=[],
        y_true=y_true,
        y_pred=y_pred,
        mask=[] if mask is None else [mask],
        reduction="none",
        **attributes_of(options),
    )
    return state.numpy()


def states_on_replicas(arrays, options, cuts):
    def step(y_true, y_pred, mask, all_reduce):
        steps = union.TailSteps(tf.constant(y_true), tf.constant(y_pred), mask, options)
        return _synchronized.tail_forward(steps, all_reduce)[1].numpy()

    shares = split(arrays, cuts)
    return Replicas(len(shares)).run(step, shares)


def check(arrays, options, cuts, uniform=False):
    upstream = np.full((ROWS, 3), 0.1) if uniform else upstream_of(np.arange(ROWS))
    expected = on_one_device(arrays, upstream, options)
    found = on_replicas(arrays, upstream, options, cuts)
    assert_same(found[0], expected[0])
    for actual, wanted in zip(found[1:], expected[1:], strict=True):
        assert (actual is None) == (wanted is None)
        if wanted is not None:
            assert_close(actual, wanted, TOLERANCE[arrays[1].dtype.type])
    state = state_on_one_device(arrays, options)
    state[:, THRESHOLD_GRADIENT] = 0.0
    counts = state[:, VALID] != 0  # of nothing, a GPU's ties are none
    for one in states_on_replicas(arrays, options, cuts):
        np.testing.assert_array_equal(one[counts], state[counts])
        np.testing.assert_array_equal(one[:, VALID], state[:, VALID])


OPTIONS = {"percentile": 0.9, "smoothing_factor": 3.0}


@pytest.mark.parametrize("residuals", RESIDUALS)
@pytest.mark.parametrize("cuts", SPLITS)
@pytest.mark.parametrize("axis", [None, 0])
def test_every_split_of_any_data(residuals, cuts, axis):
    check(batch(residuals, "none", np.float32), TailOptions(axis=axis, **OPTIONS), SPLITS[cuts])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_method_and_dtype(method, dtype):
    options = TailOptions(method=method, axis=0, percentile=0.77, smoothing_factor=3.0)
    for residuals in ("random", "few_valued", "ties_on_all"):
        check(batch(residuals, "random", dtype), options, SPLITS["unequal"])


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("method", ["floor", "linear"])
def test_every_mask(mask, method):
    for axis, cuts in itertools.product((None, 0), ("halves", "empty")):
        options = TailOptions(axis=axis, method=method, **OPTIONS)
        check(batch("random", mask, np.float32), options, SPLITS[cuts])
        check(batch("nan_on_one", mask, np.float32), options, SPLITS[cuts])


@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
def test_every_error_and_gradient(error, gradient):
    beta = 0.0 if error == "value" else 0.3
    for method in ("floor", "midpoint"):
        options = TailOptions(
            error=error, gradient=gradient, method=method, beta=beta, epsilon=0.1, **OPTIONS
        )
        check(batch("random", "random", np.float32), options, SPLITS["unequal"])
        check(batch("few_valued", "none", np.float64), options, SPLITS["empty"])


@pytest.mark.parametrize("method", ["floor", "linear"])
def test_numbers_that_are_tensors(method):
    for axis in (None, 0):
        options = TailOptions(
            tf.constant(0.875), tf.constant(3.0), tf.constant(5.0), axis=axis, method=method
        )
        arrays = batch("random", "random", np.float32)
        known = TailOptions(0.875, 3.0, 5.0, axis=axis, method=method)
        upstream = upstream_of(np.arange(ROWS))
        found = on_replicas(arrays, upstream, options, SPLITS["unequal"])
        expected = on_one_device(arrays, upstream, known)
        assert_same(found[0], expected[0])
        for actual, wanted in zip(found[1:], expected[1:], strict=True):
            assert_close(actual, wanted, 1e-6)


def test_negative_values():
    options = TailOptions(error="value", percentile=0.2, smoothing_factor=3.0)
    for residuals in ("random", "few_valued", "zeros", "infinities"):
        for dtype in (np.float32, np.float64):
            check(batch(residuals, "none", dtype), options, SPLITS["unequal"])


def test_ignore_rules():
    y_true, y_pred, _ = batch("nan_on_one", "none", np.float32)
    y_true[::3] = -1.0
    for axis in (None, 0):
        options = TailOptions(ignore_value=-1.0, ignore_nan=True, axis=axis, **OPTIONS)
        check((y_true, y_pred, None), options, SPLITS["empty"])


@pytest.mark.parametrize("residuals", ["infinities", "ties_on_all", "constant"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_on_many_replicas_cancel_exactly(residuals, dtype):
    """With equal upstream: a spike times the rounding error of their mean would remain of it."""
    options = TailOptions(percentile=0.95, smoothing_factor=1e6)
    for axis in (None, 0):
        chosen = TailOptions(**{**options.get_config(), "axis": axis})
        check(batch(residuals, "none", dtype), chosen, [7, 9, 30, 41], uniform=True)


@pytest.mark.extended
@pytest.mark.parametrize("residuals", RESIDUALS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("cuts", SPLITS)
def test_all_together(residuals, mask, cuts):
    """Each method; all else takes turns, and not the same turns in every case."""
    rng = np.random.default_rng(sum(map(ord, residuals + mask + cuts)))
    dtypes = [*TOLERANCE, np.float32]
    for number, method in enumerate(METHODS):
        error = str(rng.choice(["absolute", "value"]))
        options = TailOptions(axis=rng.choice([None, 0]), method=method, error=error, **OPTIONS)
        dtype = dtypes[rng.integers(len(dtypes))]
        check(batch(residuals, mask, dtype, seed=number), options, SPLITS[cuts])


def collectives_of(dtype, options, rows):
    replicas = Replicas(2)

    def step(y_pred, all_reduce):
        return differentiated(
            lambda t, p: union.tail_loss(t, p, options, all_reduce=all_reduce),
            np.zeros_like(y_pred),
            y_pred,
            np.ones_like(y_pred),
        )

    y_pred = np.random.default_rng(0).standard_normal((rows, 1)).astype(dtype)
    replicas.run(step, split([y_pred], [rows // 3]))
    return replicas.collectives()


@pytest.mark.parametrize(
    ("dtype", "method", "gradient", "rounds", "most"),
    [
        (np.float16, "floor", "exact", 3, 41 << 10),
        (np.float32, "floor", "exact", 3, 41 << 10),
        (np.float32, "max_fraction", "fixed_weight", 3, 41 << 10),
        (np.float32, "linear", "exact", 3, 65 << 10),
        (np.float64, "floor", "exact", 6, 85 << 10),
    ],
)
def test_collectives_do_not_depend_on_the_data(dtype, method, gradient, rounds, most):
    options = TailOptions(method=method, gradient=gradient)
    few = collectives_of(dtype, options, 1)
    assert few == collectives_of(dtype, options, 3000)
    assert len(few) == rounds + (gradient == "exact")
    assert sum(8 * int(np.prod(shape)) for _, shape in few) <= most


def test_groups_inside_a_sample():
    """An axis that no replica shares with another: rows of the shares are rows of the batch."""
    arrays = batch("random", "none", np.float32)
    options = TailOptions(axis=1, **OPTIONS)
    upstream = upstream_of(np.arange(ROWS))
    # All shares must have as many groups: each row is in one of them, so the others ignore theirs.
    masks = [np.repeat((np.arange(ROWS) * 3 // ROWS == i)[:, None], 3, 1) for i in range(3)]
    expected = on_one_device(arrays, upstream, options)[0]

    def step(mask, all_reduce):
        return union.tail_loss(
            arrays[0], arrays[1], options, mask=mask, all_reduce=all_reduce
        ).numpy()

    found = Replicas(3).run(step, [(mask,) for mask in masks])
    np.testing.assert_array_equal(sum(found), expected)


def test_a_large_share_by_several_threads():
    y_pred = np.random.default_rng(0).standard_normal((300_000, 1)).astype(np.float32)
    arrays = np.zeros_like(y_pred), y_pred, None
    options = TailOptions()
    expected = tail_loss(*arrays[:2], options, reduction="none").numpy()

    def step(y_true, y_pred, _, all_reduce):
        return union.tail_loss(y_true, y_pred, options, all_reduce=all_reduce).numpy()

    found = Replicas(2).run(step, split(arrays, [200_000]))
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_a_replica_that_fails_says_why():
    def step(y_true, y_pred, all_reduce):
        return union.tail_loss(y_true, y_pred, TailOptions(), all_reduce=all_reduce)

    shares = [(np.zeros(3, np.float32), np.zeros(3, np.float32))] * 2
    with pytest.raises(ValueError, match="must be the same, up to a last axis"):
        Replicas(2).run(step, [*shares[:1], (np.zeros(3, np.float32), np.zeros(4, np.float32))])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            {"round": 3, "search": []},
            r"round=3: must be in \[0, 3\)",
        ),
        ({"round": 1, "search": []}, "0 searches in round 1: must be 1"),
        ({"round": 0, "search": [np.zeros((1, 10), np.int64)]}, "1 searches in round 0: must be 0"),
        (
            {"round": 1, "search": [np.zeros((2, 10), np.int64)]},
            r"search of shape \(2, 10\) must have the shape \(1, 10\)",
        ),
        ({"round": 0, "search": [], "targets": 3}, "targets=3: must be 1 or 2"),
    ],
)
def test_errors_of_the_histogram(call, message):
    share = np.zeros(5, np.float32)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        library.tailops_union_histogram(y_true=share, y_pred=share, mask=[], **call)


def test_errors_of_the_descent():
    def descend(counts, number, search):
        return library.tailops_union_descend(
            numbers=[],
            counts=counts,
            search=search,
            round=number,
            T=tf.float32,
            percentile="0.5",
            method="linear",
        )

    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"counts of shape \(1, 7\) must have the shape"
    ):
        descend(np.zeros((1, 7), np.int64), 0, [])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be those of two targets"):
        descend(np.zeros((1, 2048), np.int64), 1, [np.zeros((1, 10), np.int64)])


def test_no_second_derivative():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            losses = union.tail_loss(0.0 * x, x * x, TailOptions(), all_reduce=tf.identity)
        slope = inner.gradient(losses, x)
    with pytest.raises((NotImplementedError, LookupError)):
        outer.gradient(slope, x)


def test_shapes_of_graphs():
    @tf.function(input_signature=[tf.TensorSpec((None, 3)), tf.TensorSpec(None)])
    def shapes(known, unknown):
        for x, axis, expected in [(known, None, [None, 3]), (known, 0, [None, 3])]:
            options = TailOptions(axis=axis)
            losses = union.tail_loss(x, x, options, all_reduce=tf.identity)
            mean = union.range_mean(x, (0.5, 1.0), "between", axis, all_reduce=tf.identity)
            assert losses.shape.as_list() == expected
            assert mean.shape.as_list() == ([] if axis is None else [3])
        return union.tail_loss(unknown, unknown, TailOptions(), all_reduce=tf.identity)

    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(shapes(x, x), tail_loss(x, x, TailOptions(), reduction="none"))


def test_no_kernels_for_xla():
    @tf.function(jit_compile=True)
    def compiled(x):
        return union.tail_loss(x, x, TailOptions(), all_reduce=lambda total: total)

    with pytest.raises(tf.errors.InvalidArgumentError, match="UnionHistogram"):
        compiled(tf.zeros(3))
