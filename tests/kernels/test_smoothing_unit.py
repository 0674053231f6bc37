"""κ in units of 1/t: against the float64 oracle, at every scale, and where 1/t is no unit."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from families import FAMILIES, residuals
from kinds import METHODS, betas
from quick import quick
from test_tail_loss import check, targets_and_predictions

from tailops import _kernels, kernels
from tailops._options import TailOptions

# Each by other loops: one group, rows, columns, tiles of columns, short groups of either kind.
WAYS = {
    "one": ((20_000,), None),
    "rows": ((5, 3000), 1),
    "small_rows": ((40, 300), 1),
    "columns": ((20_000, 3), 0),
    "tiles": ((4, 300, 6), 1),
    "short_rows": ((400, 7), 1),
    "short_columns": ((7, 400), 0),
}
OF_THRESHOLD = TailOptions(0.9, 5.0, 3.0, smoothing_unit="threshold")


def both_passes(d, options, reduction="mean", upstream=1.0):
    """Loss, thresholds and gradient of residuals."""
    y_true = np.zeros_like(d)
    loss, state = kernels.forward(y_true, d, options, reduction=reduction)
    upstream = np.full_like(loss, upstream)
    gradient = kernels.backward(upstream, y_true, d, state, options, reduction=reduction)
    return loss, state["threshold"], gradient


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float64, np.float32]))
def test_every_way(dtype, gradient, way):
    shape, axis = WAYS[way]
    for error, family, (p, κ), reduction in itertools.product(
        _kernels.ERRORS,
        ("random", "constant", "zeros", "few_values", "half_zeros"),
        ((0.3, 2.0), (0.97, 40.0)),
        ("none", "mean"),
    ):
        y_true, y_pred = targets_and_predictions(family, shape, dtype)
        for beta, selection in ((betas(error, 0.3, 0.0)[0], "auto"), (0.0, "miss")):
            options = replace(
                OF_THRESHOLD,
                percentile=p,
                smoothing_factor=κ,
                beta=beta,
                error=error,
                gradient=gradient,
                axis=axis,
                epsilon=0.3,
            )
            check(y_true, y_pred, options, reduction, selection=selection)


@pytest.mark.parametrize("method", quick("floor", "max_fraction", of=METHODS))
@pytest.mark.parametrize("family", FAMILIES)
def test_every_small_size(family, method):
    for n, dtype in itertools.product(range(1, 71), (np.float32, np.float64)):
        y_true, y_pred = targets_and_predictions(family, (n,), dtype)
        check(y_true, y_pred, replace(OF_THRESHOLD, method=method), "mean")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
def test_t_is_constant_in_it(gradient, way):
    """With one threshold it is the other unit, by a number."""
    shape, axis = WAYS[way]
    d = residuals("random", int(np.prod(shape)), np.float64).reshape(shape)
    if axis is not None:
        d = np.moveaxis(d, axis, -1).reshape(-1, shape[axis])[0].copy()
    for κ, method in itertools.product((0.5, 5.0, 100.0), ("floor", "linear", "max_fraction")):
        options = replace(OF_THRESHOLD, smoothing_factor=κ, gradient=gradient, method=method)
        found = both_passes(d, options)
        of_error = replace(options, smoothing_factor=κ / found[1][0], smoothing_unit="error")
        for actual, expected in zip(found, both_passes(d, of_error), strict=True):
            atol = 1e-13 * np.abs(expected).max()
            np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=atol)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("method", ["floor", "linear", "max_fraction"])
def test_scales(method, gradient, way):
    """By a power of two, to the bit."""
    shape, axis = WAYS[way]
    d = residuals("random", int(np.prod(shape)), np.float32).reshape(shape)
    for κ, error in itertools.product((0.0, 2.0, 50.0), ("absolute", "value")):
        options = TailOptions(
            0.9, κ, 3.0, 0.0, error, method, gradient, axis, smoothing_unit="threshold"
        )
        loss, threshold, slope = both_passes(d, options)
        for c in (2.0**-60, 2.0**-20, 2.0**20, 2.0**60):
            scaled = both_passes(d * np.float32(c), options)
            np.testing.assert_array_equal(scaled[0], loss * np.float32(c))
            np.testing.assert_array_equal(scaled[1], threshold * c)
            np.testing.assert_array_equal(scaled[2], slope)
        for c in (1e-6, 1e-3, 7.0, 1e6):
            scaled = both_passes(d * np.float32(c), options)
            np.testing.assert_allclose(scaled[0], loss * np.float32(c), rtol=2e-6)
            largest = np.abs(slope).max()
            np.testing.assert_allclose(scaled[2], slope, rtol=0, atol=1e-5 * largest)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("error", ["absolute", "value"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_hard_step(dtype, error, gradient):
    """Where t is 0, or so small that 1/t is infinite: h is 0, ½ or 1, and nothing is steep."""
    tiny = np.finfo(dtype).smallest_subnormal
    for t in (0.0, tiny, 3 * tiny):
        above = np.array([t + tiny, 1e-3, 2.0], dtype)
        d = np.concatenate([[0.0, t, t], above]).astype(dtype)
        if error == "value":
            d[0] = -1.0
        options = replace(
            OF_THRESHOLD, percentile=2.5 / 6, error=error, gradient=gradient, method="floor"
        )
        for repeat in (1, 5000):
            loss, threshold, slope = both_passes(np.repeat(d, repeat), options, "none")
            np.testing.assert_array_equal(threshold, [t])
            h = np.repeat([0.0, 0.5, 0.5, 1.0, 1.0, 1.0], repeat)
            if error == "absolute" and t == 0:
                h[:repeat] = 0.5
            weights = (1 + 3 * h).astype(dtype)
            np.testing.assert_array_equal(loss, np.repeat(d, repeat) * weights)
            signs = 1.0 if error == "value" else np.sign(np.repeat(d, repeat))
            np.testing.assert_allclose(slope, weights * signs, rtol=1e-6)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("error", ["absolute", "value"])
def test_an_infinite_threshold(error, gradient):
    for sign, p in ((1.0, 1.0), (-1.0, 0.1)):
        if sign < 0 and error == "absolute":
            continue
        d = np.float32([1.0, 2.0, 3.0, sign * np.inf])
        options = replace(OF_THRESHOLD, percentile=p, error=error, gradient=gradient)
        loss, threshold, slope = both_passes(d, options, "none")
        np.testing.assert_array_equal(threshold, [sign * np.inf])
        others = 1.0 if sign > 0 else 4.0
        np.testing.assert_array_equal(loss, [others, 2 * others, 3 * others, sign * np.inf])
        np.testing.assert_array_equal(slope, [others, others, others, 2.5])


@pytest.mark.parametrize("way", WAYS)
def test_without_a_kappa(way):
    """H is ½ everywhere, whatever the unit; NaN remains NaN."""
    shape, axis = WAYS[way]
    for family, gradient in itertools.product(("random", "zeros", "infinite"), _kernels.GRADIENTS):
        d = residuals(family, int(np.prod(shape)), np.float32).reshape(shape)
        d[0] = np.nan if family == "zeros" else d[0]
        options = replace(OF_THRESHOLD, smoothing_factor=0.0, axis=axis, gradient=gradient)
        results = both_passes(d, options, "none")
        of_error = both_passes(d, replace(options, smoothing_unit="error"), "none")
        for actual, expected in zip(results, of_error, strict=True):
            np.testing.assert_array_equal(actual, expected)
        groups = np.isnan(d).any(axis=axis, keepdims=True)
        np.testing.assert_array_equal(np.isnan(results[0]), np.broadcast_to(groups, shape))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", ["subnormal", "huge", "mixed_scales", "infinite"])
def test_losses_of_numbers_that_are_not_nice(family, way):
    shape, axis = WAYS[way]
    for dtype, p, error in itertools.product(
        (np.float32, np.float64), (0.1, 0.9), ("absolute", "value")
    ):
        d = residuals(family, int(np.prod(shape)), dtype).reshape(shape)
        # So large that an e − t that overflows is far from t.
        options = replace(OF_THRESHOLD, percentile=p, smoothing_factor=20.0, axis=axis, error=error)
        with np.errstate(over="ignore"):
            check(np.zeros_like(d), d, replace(options, gradient="fixed_weight"), "none")
