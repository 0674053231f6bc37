"""Loss and gradient against the float64 oracle, over every option."""

import itertools

import ml_dtypes
import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, LARGE_FAMILIES, residuals
from kinds import METHODS, TYPES_AND_METHODS, betas

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}


def assert_close(actual, expected, dtype, what, scale=0.0):
    """Relative to the largest element: a gradient is a vector; or to `scale`."""
    expected = np.asarray(expected, np.float64)
    actual = np.asarray(actual).astype(np.float64)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), err_msg=what)
    with np.errstate(all="ignore"):
        largest = float(ml_dtypes.finfo(dtype).max)
        expected = np.where(np.abs(expected) > largest, np.copysign(np.inf, expected), expected)
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(actual[infinite], expected[infinite], err_msg=what)
    finite = np.isfinite(expected)
    scale = np.max(np.abs(expected[finite]), initial=scale)
    tiny = float(ml_dtypes.finfo(dtype).smallest_subnormal)
    allowed = TOLERANCE[np.dtype(dtype).name] * scale + tiny
    assert np.max(np.abs(actual[finite] - expected[finite]), initial=0) <= allowed, what


def check(y_true, y_pred, options, reduction, *, mask=None, threads=1, selection="auto", seed=0):
    how = {"reduction": reduction, "mask": mask}
    shape = kernels.forward(y_true, y_pred, options, **how).loss.shape
    upstream = np.random.default_rng(seed).uniform(0.5, 2, shape).astype(y_pred.dtype)
    expected = oracle.tail_loss(y_true, y_pred, options, reduction, upstream, mask)
    path = forced(options, selection)
    loss, state = kernels.forward(y_true, y_pred, path, **how, threads=threads)
    gradient = kernels.backward(upstream, y_true, y_pred, state, options, **how, threads=threads)
    what = f"{options} {reduction} {y_pred.dtype} {y_pred.shape}"
    assert loss.dtype == gradient.dtype == y_pred.dtype
    dtype = y_pred.dtype
    assert_close(loss, expected.loss, dtype, f"loss of {what}", expected.loss_scale)
    assert_close(gradient, expected.gradient, dtype, f"gradient of {what}", expected.gradient_scale)
    return loss, state, gradient


def targets_and_predictions(family, shape, dtype):
    """Targets are multiples of ¼, so that residuals tie as the family made them."""
    n = int(np.prod(shape))
    d = residuals(family, n, np.float64)
    y_true = np.random.default_rng(n).integers(-2, 3, n) / 4
    return y_true.reshape(shape).astype(dtype), (y_true + d).reshape(shape).astype(dtype)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("case", TYPES_AND_METHODS, ids=str)
def test_every_option(case, error, gradient):
    dtype, method = case
    cases = itertools.product(
        ["random", "constant", "few_values", "tied_at_the_top"],
        betas(error, 0.0, 0.2, 1.0),
        ["none", "per_sample", "mean", "sum"],
        [None, 0, 1],
    )
    units = itertools.cycle(_kernels.SMOOTHING_UNITS)
    for (family, beta, reduction, axis), unit in zip(cases, units, strict=False):
        y_true, y_pred = targets_and_predictions(family, (37, 3), dtype)
        options = TailOptions(
            percentile=0.8,
            smoothing_factor=7.0,
            error_scale=3.0,
            beta=beta,
            error=error,
            method=method,
            gradient=gradient,
            axis=axis,
            epsilon=0.3,
            smoothing_unit=unit,
        )
        check(y_true, y_pred, options, reduction)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
def test_half_precision(dtype, gradient):
    for error, reduction in itertools.product(
        _kernels.ERRORS, ["none", "per_sample", "mean", "sum"]
    ):
        for shape, axis in (((41, 2), None), ((700, 2), None), ((700, 2), 0)):
            y_true, y_pred = targets_and_predictions("random", shape, dtype)
            options = TailOptions(
                0.9, 5.0, 3.0, error=error, gradient=gradient, axis=axis, epsilon=0.1
            )
            check(y_true, y_pred, options, reduction)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_family_and_small_size(family, dtype):
    for n in range(1, 71):
        y_true, y_pred = targets_and_predictions(family, (n,), dtype)
        check(y_true, y_pred, TailOptions(0.9, 3.0, 5.0), "mean")


@pytest.mark.parametrize("reduction", ["per_sample", "mean"])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
@pytest.mark.parametrize("method", ["floor", "linear", "max_fraction"])
@pytest.mark.parametrize("n", [255, 256, 257, 8191, 8192, 8193, 16385, 32767, 32768, 65537])
def test_around_the_boundaries(n, method, selection, reduction):
    for family in ("tied_at_the_top", "random", "one_exponent"):
        y_true, y_pred = targets_and_predictions(family, (n, 1), np.float64)
        options = TailOptions(0.97, 40.0, 5.0, method=method)
        for threads in (1, 2, 5):
            check(y_true, y_pred, options, reduction, threads=threads, selection=selection)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", _kernels.ERRORS)
def test_every_option_on_a_large_group(error, method, gradient):
    """Whether one pass does or it takes two depends on how much is near the threshold."""
    for percentile, kappa, beta in itertools.product(
        (0.5, 0.98), (2.0, 200.0), betas(error, 0.0, 0.3)
    ):
        for selection in ("auto", "miss"):
            y_true, y_pred = targets_and_predictions("random", (3000,), np.float64)
            options = TailOptions(
                percentile, kappa, 3.0, beta, error, method, gradient, epsilon=0.3
            )
            check(y_true, y_pred, options, "mean", selection=selection)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((2, 33_000), 1),
        ((33_000, 2), 0),
        ((2, 33_000, 2), 1),
        ((20_000, 3), 0),
        ((900, 3), 1),
        ((50, 37), 0),
        ((3, 900), 0),
    ]
    + [((90, 7, 3), axis) for axis in (0, 1, 2)],
)
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean", "sum"])
def test_groups_large_small_and_strided(shape, axis, reduction):
    y_true, y_pred = targets_and_predictions("random", shape, np.float64)
    check(y_true, y_pred, TailOptions(0.9, 5.0, axis=axis), reduction, threads=2)


@pytest.mark.parametrize("method", ["linear", "midpoint", "max_fraction"])
@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("axis", [None, 0])
def test_order_statistics_far_from_the_threshold(method, reduction, axis):
    """The threshold's gradient reaches them also where their own indicator is 0 or 1."""
    rng = np.random.default_rng(0)
    d = np.sort(rng.uniform(0.5, 1.0, (40, 2)), axis=0)
    options = TailOptions(0.985, 2000.0, method=method, axis=axis)
    if method == "max_fraction":
        d[20] = 0.985 * d[39]
    check(np.zeros_like(d), d, options, reduction)


@pytest.mark.parametrize("size", [8, 50, 3000])
@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e36), (np.float64, 1e303)])
def test_far_from_the_threshold_there_is_no_slope(dtype, scale, size):
    """Nor of an error so large that it would make one of a weight of 1e-38."""
    d = (scale * np.random.default_rng(0).standard_normal(size)).astype(dtype)
    for method, percentile in itertools.product(["floor", "linear", "max_fraction"], [0.5, 0.9]):
        for reduction in ("none", "mean"):
            options = TailOptions(percentile, 5.0, 3.0, method=method)
            check(np.zeros_like(d), d, options, reduction)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("kappa", [0.0, 1e-3, 1.0, 1e3, 1e30])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_extreme_options(kappa, scale, gradient):
    for n, reduction in itertools.product((3, 300, 9000), ("none", "mean")):
        y_true, y_pred = targets_and_predictions("random", (n,), np.float64)
        options = TailOptions(0.9, kappa, scale, gradient=gradient)
        check(y_true, y_pred, options, reduction)


@pytest.mark.parametrize("family", EXTREME_FAMILIES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_that_are_not_nice(family, dtype):
    for n, gradient, error in itertools.product(
        (1, 2, 37, 500), _kernels.GRADIENTS, ("absolute", "smooth_absolute")
    ):
        d = residuals(family, n, dtype)
        if family in LARGE_FAMILIES:  # room for s·e·h′
            d = d / 1e4
        options = TailOptions(0.6, 2.0, 3.0, gradient=gradient, error=error, epsilon=0.5)
        check(np.zeros_like(d), d, options, "none")


def test_state_is_the_record_that_the_kernels_write():
    assert kernels.STATE.itemsize == 8 * _kernels.STATE_COLUMNS


def test_subnormal_errors_are_kept():
    tiny = np.finfo(np.float32).smallest_subnormal
    d = np.arange(1, 6, dtype=np.float32) * tiny
    loss, _ = kernels.forward(
        np.zeros_like(d), d, TailOptions(error_scale=0.0, percentile=0.5), reduction="none"
    )
    np.testing.assert_array_equal(loss, d)


@pytest.mark.parametrize("kappa", [0.0, 3.0, 1e4, 1e18, 1e30])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [37, 5000])
def test_sums_of_subnormal_errors(n, dtype, kappa):
    """They are added up apart from the rest, where that makes no difference."""
    subnormal = residuals("subnormal", n, dtype)
    normal = residuals("random", n, dtype)
    some = np.random.default_rng(0).random(n) < 0.5
    mixed = np.where(some, subnormal, normal)
    # In float64 the oracle rounds the loss of each; with the last κ the kernels do.
    for d in (mixed,) if dtype == np.float64 or kappa == 1e30 else (subnormal, mixed):
        for percentile in (0.3, 0.9):
            for method in ("floor", "linear"):
                options = TailOptions(percentile, kappa, 3.0, method=method)
                check(np.zeros_like(d), d, options, "sum")


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean"])
def test_a_nan_is_its_whole_groups_and_no_others(gradient, reduction):
    y_true, y_pred = targets_and_predictions("random", (50, 3), np.float32)
    y_pred[17, 1] = np.nan
    options = TailOptions(0.9, 5.0, axis=0, gradient=gradient)
    check(y_true, y_pred, options, reduction)
    loss, state = kernels.forward(y_true, y_pred, options, reduction="none")
    slope = kernels.backward(np.ones_like(loss), y_true, y_pred, state, options, reduction="none")
    for result in (loss, slope):
        assert np.isnan(result[:, 1]).all()
        assert np.isfinite(result[:, [0, 2]]).all()


@pytest.mark.parametrize("n", [5, 300, 3000])
def test_beside_a_nan_an_infinite_error_is_one_too(n):
    d = residuals("random", n, np.float32)
    d[0], d[n // 2] = np.inf, np.nan
    options = TailOptions(0.5, 5.0)
    loss, state = kernels.forward(np.zeros_like(d), d, options, reduction="none")
    gradient = kernels.backward(
        np.ones_like(d), np.zeros_like(d), d, state, options, reduction="none"
    )
    assert np.isnan(loss).all()
    assert np.isnan(gradient).all()


def test_an_infinite_error_has_a_finite_gradient():
    d = np.array([0.1, 0.2, 0.3, np.inf, -np.inf])
    options = TailOptions(percentile=0.5)
    loss, state = kernels.forward(np.zeros(5), d, options, reduction="none")
    slope = kernels.backward(np.ones(5), np.zeros(5), d, state, options, reduction="none")
    assert loss[3] == loss[4] == np.inf
    assert slope[3] == 11.0
    assert slope[4] == -11.0


def test_hybrid_of_an_overflowing_square():
    d = np.array([1e30, 1.0, 2.0], np.float32)
    loss, _ = kernels.forward(np.zeros_like(d), d, TailOptions(beta=0.0), reduction="none")
    assert np.isfinite(loss).all()


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3, 1e25])
def test_smooth_absolute_neither_cancels_nor_overflows(scale):
    d = (np.random.default_rng(0).standard_normal(1000) * scale).astype(np.float32)
    options = TailOptions(error="smooth_absolute", error_scale=0.0, epsilon=1e-3)
    loss, _ = kernels.forward(np.zeros_like(d), d, options, reduction="none")
    wide, ε = d.astype(np.longdouble), np.longdouble(np.float32(1e-3))
    expected = wide * wide / (np.sqrt(wide * wide + ε * ε) + ε)
    np.testing.assert_allclose(loss, expected.astype(np.float64), rtol=4e-7)


@pytest.mark.parametrize("n", [10**6, 4 * 10**6])
def test_sums_are_accurate(n):
    rng = np.random.default_rng(0)
    y_true = rng.uniform(size=n).astype(np.float32)
    y_pred = (y_true + rng.standard_normal(n) * 0.1 + 1.0).astype(np.float32)
    check(y_true, y_pred, TailOptions(0.99, 20.0), "mean", threads=2)


def test_every_float16_and_bfloat16_survives():
    """With s = 0 the loss is the error: widened, its sign dropped, and rounded back."""
    for dtype in (np.float16, ml_dtypes.bfloat16):
        every = np.arange(2**16, dtype=np.uint16).view(dtype)
        numbers = every[np.isfinite(every.astype(np.float32))]
        loss, _ = kernels.forward(
            np.zeros_like(numbers), numbers, TailOptions(error_scale=0.0), reduction="none"
        )
        np.testing.assert_array_equal(loss.view(np.uint16), np.abs(numbers).view(np.uint16))


def test_results_are_rounded_to_nearest_even():
    rng = np.random.default_rng(0)
    for dtype in (np.float16, ml_dtypes.bfloat16):
        exponents = rng.uniform(-26, 5, 20_000)
        d = np.exp2(exponents).astype(dtype)
        options = TailOptions(error="squared", error_scale=0.0)
        loss, _ = kernels.forward(np.zeros_like(d), d, options, reduction="none")
        expected = (d.astype(np.float32) ** 2).astype(dtype)
        np.testing.assert_array_equal(loss.view(np.uint16), expected.view(np.uint16))
