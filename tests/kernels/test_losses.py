"""A loss per element and per row: around tiles, with few, many and all near the threshold."""

import itertools

import numpy as np
import oracle
import pytest
from families import residuals
from kinds import betas
from quick import quick
from test_ignored import random_kept, without
from test_tail_loss import assert_close, targets_and_predictions

from tailops import _kernels, kernels
from tailops._options import TailOptions

# From none to all of the elements near the threshold.
KAPPAS = (1e4, 60.0, 8.0, 0.5)


def check_loss(y_true, y_pred, options, reduction, *, mask=None, threads=1):
    loss, _ = kernels.forward(
        y_true, y_pred, options, reduction=reduction, mask=mask, threads=threads
    )
    expected = oracle.tail_loss(y_true, y_pred, options, reduction, mask=mask).loss
    assert_close(loss, expected, y_pred.dtype, f"{options} {reduction} {y_pred.shape}")
    return loss


@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, "bfloat16"])
@pytest.mark.parametrize("n", [1, 15, 63, 64, 65, 66, 80, 1023, 1024, 1025, 2050, 8193])
def test_every_element(n, dtype, error):
    """Sorted, tiles with many near the threshold lie next to tiles with none."""
    for family, kappa, beta in itertools.product(
        ("random", "sorted", "few_values", "tied_at_the_top"), KAPPAS, betas(error, 0.0, 0.3)
    ):
        y_true, y_pred = targets_and_predictions(family, (n,), dtype)
        options = TailOptions(0.9, kappa, 5.0, beta, error, epsilon=0.3)
        check_loss(y_true, y_pred, options, "none")


@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float64, np.float32, "bfloat16"]))
@pytest.mark.parametrize("reduction", ["none", "per_sample"])
@pytest.mark.parametrize(
    "shape", [(400, 1), (400, 3), (300, 63), (300, 65), (20, 1030), (3, 100, 40), (5, 2500)]
)
def test_columns(shape, reduction, dtype):
    for family, kappa in itertools.product(("random", "sorted"), KAPPAS):
        y_true, y_pred = targets_and_predictions(family, shape, dtype)
        for beta, axis in itertools.product((0.0, 0.3), (-2, -1)):
            check_loss(y_true, y_pred, TailOptions(0.9, kappa, 5.0, beta, axis=axis), reduction)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(
    "length", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 100, 1023, 1025, 8191, 8192, 8193, 17_000]
)
def test_rows(length, dtype):
    rows = max(2, 5000 // length)
    for family, kappa in itertools.product(("random", "sorted"), KAPPAS):
        y_true, y_pred = targets_and_predictions(family, (rows, length), dtype)
        for threads in (1, 3):
            check_loss(y_true, y_pred, TailOptions(0.95, kappa), "per_sample", threads=threads)


@pytest.mark.parametrize("length", [1, 2, 10, 16, 100, 2048, 9000])
@pytest.mark.parametrize("rule", ["value", "nan", "mask", "all"])
def test_rows_of_which_some_is_ignored(rule, length):
    shape = (max(2, 5000 // length), length)
    y_true, y_pred = targets_and_predictions("random", shape, np.float32)
    kept = random_kept(shape, 0.6)
    kept[0] = False
    y_true, y_pred, rules, mask = without(y_true, y_pred, kept, rule)
    for kappa, axis in itertools.product(KAPPAS, (None, 0)):
        options = TailOptions(0.95, kappa, axis=axis, **rules)
        for reduction in ("none", "per_sample"):
            check_loss(y_true, y_pred, options, reduction, mask=mask)


def test_sums_of_long_rows_are_accurate():
    """Small losses after a large one, which float32 would not see."""
    d = np.full((3, 40_000), 1e-4, np.float32)
    d[:, 0] = 1e4
    loss, _ = kernels.forward(np.zeros_like(d), d, TailOptions(error_scale=0.0))
    np.testing.assert_allclose(loss, d.astype(np.float64).mean(axis=1), rtol=1e-7)


@pytest.mark.parametrize("shape", [(30_001, 10), (300, 1000), (3, 50_001), (300_001,)])
@pytest.mark.parametrize("reduction", ["none", "per_sample"])
@pytest.mark.parametrize("axis", [None, 0])
def test_bits_do_not_depend_on_threads(shape, reduction, axis):
    d = residuals("heavy_tail", int(np.prod(shape)), np.float32).reshape(shape)
    zeros, options = np.zeros_like(d), TailOptions(0.97, 3.0, axis=axis)
    losses = [
        kernels.forward(zeros, d, options, reduction=reduction, threads=threads).loss.tobytes()
        for threads in (1, 2, 3, 8)
    ]
    assert all(loss == losses[0] for loss in losses)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_nan_and_infinity_in_the_middle_of_a_tile(kappa):
    d = residuals("random", 3000, np.float32)
    d[[700, 1500]] = np.inf, -np.inf
    loss = check_loss(np.zeros_like(d), d, TailOptions(0.9, kappa), "none")
    assert (loss[[700, 1500]] == np.inf).all()
    d[[700, 1500, 2000]] = 0.1, 0.2, np.nan
    loss, _ = kernels.forward(np.zeros_like(d), d, TailOptions(0.9, kappa), reduction="none")
    assert np.isnan(loss).all()
