"""Groups that lie strided in memory: many columns in one pass, and what it leaves to others."""

import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from quick import quick
from test_tail_loss import check, targets_and_predictions

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

BUFFER = _kernels.BUFFER_LENGTH
# Rows of one column, of a few (taken several at a time), around the widths where that ends and
# around the vectors' lengths; with one matrix and several.
SHAPES = [
    (BUFFER, 2),
    (BUFFER + 1, 1),
    (BUFFER + 1, 2),
    (BUFFER + 2, 8),
    (700, 127),
    (700, 128),
    (700, 129),
    (300, 255),
    (300, 256),
    (300, 257),
    (260, 2047),
    (260, 2049),
    (5, 400, 7),
    (3, 300, 33),
    (70_001, 3),
]


@pytest.mark.parametrize("selection", quick("auto", of=_kernels.SELECTIONS))
@pytest.mark.parametrize("shape", SHAPES)
def test_thresholds_are_exact(shape, selection):
    for family in ("random", "tied_at_the_top", "sorted", "few_values", "infinite", "subnormal"):
        d = residuals(family, int(np.prod(shape)), np.float32).reshape(shape)
        zeros = np.zeros_like(d)
        for method, percentile in (("floor", 0.99), ("linear", 0.9), ("higher", 0.4)):
            options = TailOptions(percentile, method=method, axis=-2)
            expected = oracle.tail_loss(zeros, d, options, "mean").thresholds
            options = forced(options, selection)
            for threads in (1, 2):
                _, state = kernels.forward(zeros, d, options, reduction="mean", threads=threads)
                found = state["threshold"].astype(expected.dtype)
                np.testing.assert_array_equal(found, expected, err_msg=f"{family} {options}")


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean"])
@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float64, np.float32]))
@pytest.mark.parametrize("shape", [(400, 3), (400, 130), (300, 300), (4, 300, 20), (40, 9)])
def test_loss_and_gradient(shape, dtype, reduction, gradient):
    """With few elements near the thresholds, with many, and with all."""
    for family in ("random", "tied_at_the_top", "heavy_tail"):
        y_true, y_pred = targets_and_predictions(family, shape, dtype)
        for kappa, beta in ((60.0, 0.0), (60.0, 0.3), (3.0, 0.3), (0.1, 0.0)):
            options = TailOptions(0.95, kappa, 5.0, beta, gradient=gradient, axis=-2)
            for threads in (1, 3):
                check(y_true, y_pred, options, reduction, threads=threads)


@pytest.mark.parametrize("family", [*FAMILIES])
def test_every_family(family):
    y_true, y_pred = targets_and_predictions(family, (500, 12), np.float64)
    for percentile in (0.2, 0.97):
        for reduction in ("per_sample", "sum"):
            check(y_true, y_pred, TailOptions(percentile, 20.0, 4.0, 0.1, axis=0), reduction)


@pytest.mark.parametrize("family", EXTREME_FAMILIES)
@pytest.mark.parametrize("value", [np.nan, None])
def test_only_the_columns_that_have_it_are_nan(family, value):
    d = residuals(family, 600 * 5, np.float32).reshape(600, 5)
    if value is not None:
        d[300, 2] = value
    zeros = np.zeros_like(d)
    options = TailOptions(0.9, axis=0)
    _, state = kernels.forward(zeros, d, options, reduction="mean")
    expected = np.isnan(d).any(axis=0)
    np.testing.assert_array_equal(np.isnan(state["threshold"]), expected)


def test_columns_whose_bracket_misses():
    """The largest elements are in rows that the sample does not see, in every second column."""
    d = np.abs(residuals("random", 5000 * 6, np.float64)).reshape(5000, 6)
    rng = np.random.default_rng(0)
    for column in (0, 2, 4):
        d[rng.permutation(5000)[:700], column] *= 1e-3
        d[:40, column] += 10
    zeros = np.zeros_like(d)
    for beta in (0.0, 0.5):
        for percentile in (0.992, 0.995):
            options = TailOptions(percentile, 50.0, beta=beta, axis=0)
            check(zeros, d, options, "mean")
            check(zeros, d, options, "mean", selection="miss")
