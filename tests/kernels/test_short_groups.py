"""Many groups of few elements, which the kernels take side by side."""

import itertools

import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from kinds import METHODS, with_betas
from quick import quick
from test_tail_loss import check, targets_and_predictions

from tailops import _kernels, kernels
from tailops._options import TailOptions

# Up to 32 elements forward and backward are taken so, up to 128 the forward alone.
LENGTHS = [*range(1, 71), 100, 127, 128, 129]


def shapes(length):
    """One group after the other, with narrow and with wide columns, tile after tile."""
    yield (83, length), 1
    yield (300, length), 1
    yield (length, 15), 0
    yield (length, 16), 0
    yield (length, 30), 0
    yield (19, length, 3), 1
    yield (2, length, 17), 1


@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float64, np.float32]))
def test_every_size(dtype):
    percentiles = itertools.cycle([0.99, 0.9, 0.5, 0.1, 1.0])
    families = itertools.cycle(FAMILIES)
    methods = itertools.cycle(METHODS)
    for length in LENGTHS:
        for (shape, axis), reduction in itertools.product(shapes(length), ["mean", "per_sample"]):
            y_true, y_pred = targets_and_predictions(next(families), shape, dtype)
            options = TailOptions(next(percentiles), 5.0, 3.0, method=next(methods), axis=axis)
            check(y_true, y_pred, options, reduction)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("length", [1, 2, 10, 33, 128])
@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
def test_thresholds_of_every_rank(family, length):
    d = residuals(family, 40 * length, np.float32).reshape(40, length)
    zeros = np.zeros_like(d)
    ordered = np.sort(np.abs(d), axis=1)
    for rank in {*range(0, length, 7), length - 1}:
        options = TailOptions((rank + 0.5) / length, 5.0, axis=1)
        _, state = kernels.forward(zeros, d, options, reduction="mean")
        np.testing.assert_array_equal(state["threshold"], ordered[:, rank])
        ties = (np.abs(d) == ordered[:, [rank]]).sum(axis=1)
        np.testing.assert_array_equal(state["lower_ties"], ties)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize(("error", "beta"), with_betas(0.0, 0.3))
@pytest.mark.parametrize("dtype", quick(np.float16, of=[np.float64, np.float16, "bfloat16"]))
def test_every_option(dtype, beta, error, gradient):
    for reduction in ("none", "per_sample", "mean", "sum"):
        for (shape, axis), method in itertools.product(shapes(12), ["floor", "linear"]):
            y_true, y_pred = targets_and_predictions("random", shape, dtype)
            options = TailOptions(0.8, 7.0, 3.0, beta, error, method, gradient, axis, 0.3)
            check(y_true, y_pred, options, reduction)


@pytest.mark.parametrize("groups", [15, 16, 17, 255, 256, 257, 6000])
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean"])
def test_number_of_groups_and_of_threads(groups, reduction):
    d = residuals("random", groups * 10, np.float32).reshape(groups, 10)
    zeros = np.zeros_like(d)
    options = TailOptions(0.9, 7.0, axis=1)
    results = set()
    for threads in (1, 2, 5):
        loss, state, gradient = check(zeros, d, options, reduction, threads=threads)
        results.add(loss.tobytes() + state.tobytes() + gradient.tobytes())
    assert len(results) == 1


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_group_with_a_value_that_is_no_finite_number(value, axis):
    """It has no say in the loss of its neighbours."""
    d = residuals("random", 50 * 10, np.float64).reshape(50, 10)
    d[7, 3] = value
    d = np.ascontiguousarray(d if axis == 1 else d.T)
    options = TailOptions(0.75, 7.0, axis=axis)
    zeros = np.zeros_like(d)
    loss, state = kernels.forward(zeros, d, options, reduction="none")
    gradient = kernels.backward(np.ones_like(d), zeros, d, state, options, reduction="none")
    expected = oracle.tail_loss(zeros, d, options, "none", np.ones_like(d))
    for found, right in ((loss, expected.loss), (gradient, expected.gradient)):
        np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-12)
    assert np.isnan(gradient).sum() == (10 if np.isnan(value) else 0)


def test_the_gradient_may_overwrite_an_input():
    d = residuals("random", 1000 * 10, np.float32).reshape(1000, 10)
    zeros = np.zeros_like(d)
    options = TailOptions(0.9, 7.0, axis=1)
    _, _, expected = check(zeros, d, options, "mean")
    loss, state = kernels.forward(zeros, d, options, reduction="mean")
    for over in (zeros.copy(), d.copy()):
        y_true, y_pred = (over, d) if over[0, 0] == 0 else (zeros, over)
        upstream = np.random.default_rng(0).uniform(0.5, 2, loss.shape).astype(d.dtype)
        found = kernels.backward(
            upstream, y_true, y_pred, state, options, reduction="mean", out=over
        )
        assert found is over
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("length", [10, 300])
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("ignore_nan", [False, True])
def test_a_row_that_is_a_group(ignore_nan, gradient, length):
    """Its loss is the sum that came with its threshold, whatever its length."""
    d = residuals("random", 40 * length, np.float64).reshape(40, length)
    if ignore_nan:
        d[np.random.default_rng(1).random(d.shape) < 0.3] = np.nan
        d[5] = np.nan
    options = TailOptions(0.9, 20.0, 5.0, gradient=gradient, axis=1, ignore_nan=ignore_nan)
    check(np.zeros_like(d), d, options, "per_sample")
