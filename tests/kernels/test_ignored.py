"""Elements that are as if they were not there."""

import itertools

import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, LARGE_FAMILIES, residuals
from kinds import METHODS, VALUE, betas
from quick import quick
from test_tail_loss import check, targets_and_predictions

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

BUFFER, BLOCK = _kernels.BUFFER_LENGTH, _kernels.BLOCK_LENGTH
RULES = ("value", "nan", "mask", "all")
MISSING = -7.5


def without(y_true, y_pred, kept, rule):
    """The inputs with everything else made missing, and the options and the mask that say so.

    What is missing is absurd otherwise, so that a trace of it shows.
    """
    y_true, y_pred = y_true.copy(), y_pred.copy()
    options, mask = {}, None
    lost = np.flatnonzero(~kept.ravel())
    if rule in ("value", "all"):
        options["ignore_value"] = MISSING
        which = lost[::3] if rule == "all" else lost
        y_true.flat[which] = MISSING
        y_pred.flat[which] = np.resize([np.inf, 3e4, -3e4], len(which))
    if rule in ("nan", "all"):
        options["ignore_nan"] = True
        which = lost[1::3] if rule == "all" else lost
        y_true.flat[which[::2]] = np.nan
        y_pred.flat[which[1::2]] = np.nan
    if rule in ("mask", "all"):
        which = lost[2::3] if rule == "all" else lost
        y_pred.flat[which] = np.resize([np.nan, np.inf, 3e4], len(which))
        mask = np.ones(y_true.shape, bool)
        mask.flat[which] = False
    return y_true, y_pred, options, mask


def check_without(y_true, y_pred, kept, rule, options, reduction, **how):
    """Against the oracle; and what is ignored has a gradient and a loss of exactly 0."""
    y_true, y_pred, rules, mask = without(y_true, y_pred, kept, rule)
    ignoring = TailOptions(**options, **rules)
    loss, state, gradient = check(y_true, y_pred, ignoring, reduction, mask=mask, **how)
    assert not gradient[~kept].astype(np.float64).any()
    if reduction == "none":
        assert not loss[~kept].astype(np.float64).any()
    return loss, state, gradient


def random_kept(shape, share, seed=0):
    return np.random.default_rng([seed, *shape]).random(shape) < share


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("method", quick("floor", "linear", "max_fraction", of=METHODS))
@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float64, np.float32]))
def test_every_option(dtype, method, rule):
    cases = itertools.product(
        _kernels.ERRORS,
        ["few_values", "zeros"],
        _kernels.GRADIENTS,
        [0.3],
        _kernels.REDUCTIONS,
        [None, 0, 1],
    )
    units = itertools.cycle(_kernels.SMOOTHING_UNITS)
    for (error, family, gradient, beta, reduction, axis), unit in zip(cases, units, strict=False):
        if error == VALUE and rule != "mask":  # the others are of targets too
            continue
        y_true, y_pred = targets_and_predictions(family, (29, 4), dtype)
        options = {
            "percentile": 0.8,
            "smoothing_factor": 7.0,
            "error_scale": 3.0,
            "beta": betas(error, 0.0, beta)[-1],
            "error": error,
            "method": method,
            "gradient": gradient,
            "axis": axis,
            "epsilon": 0.3,
            "smoothing_unit": unit,
        }
        check_without(y_true, y_pred, random_kept((29, 4), 0.7), rule, options, reduction)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_small_size(family):
    for n, share in itertools.product(range(1, 71), (0.1, 0.6, 1.0)):
        y_true, y_pred = targets_and_predictions(family, (n,), np.float32)
        kept = random_kept((n,), share)
        options = {"percentile": 0.9, "smoothing_factor": 3.0}
        check_without(y_true, y_pred, kept, RULES[n % 4], options, "mean")


@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
@pytest.mark.parametrize("kappa", quick(40.0, of=[0.5, 40.0]))
@pytest.mark.parametrize("n", [255, 256, 257, 8191, 8193, 16385, 65537])
def test_sizes_around_the_boundaries(n, kappa, selection):
    for family, rule, share, percentile in itertools.product(
        ("random", "half_zeros", "few_values", "sorted"),
        ("value", "mask"),
        (0.02, 0.7),
        (0.3, 0.99),
    ):
        y_true, y_pred = targets_and_predictions(family, (n,), np.float32)
        options = {"percentile": percentile, "smoothing_factor": kappa, "method": "linear"}
        kept = random_kept((n,), share)
        for reduction in ("mean", "none"):
            check_without(
                y_true, y_pred, kept, rule, options, reduction, threads=2, selection=selection
            )


@pytest.mark.parametrize("family", ["random", "zeros", "few_values", "infinite", "subnormal"])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_thresholds_are_those_of_what_is_left(family, selection):
    """To the bit; where a run of neighbours is missing too, as the sample is made of runs."""
    for n, percentile in itertools.product((37, 300, 20_000), (0.01, 0.5, 0.999)):
        d = residuals(family, n, np.float32)
        for kept in (random_kept((n,), 0.5), np.arange(n) >= n // 2, np.arange(n) % 97 == 0):
            for method in ("floor", "linear"):
                options = TailOptions(percentile, method=method)
                expected = oracle.tail_loss(np.zeros_like(d)[kept], d[kept], options).thresholds
                y_pred = np.where(kept, d, np.float32(np.nan))
                ignoring = TailOptions(percentile, method=method, ignore_nan=True)
                _, state = kernels.forward(
                    np.zeros_like(d), y_pred, forced(ignoring, selection), reduction="mean"
                )
                np.testing.assert_array_equal(state["threshold"].astype(np.float32), expected)
                np.testing.assert_array_equal(state["valid"], kept.sum())


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((BUFFER + 1, 40), 0),
        ((40, BUFFER + 1), 1),
        ((3, 300, 5), 1),
        ((3, 300, 5), 0),
        ((20_000, 3), 0),
        ((2, BLOCK + 1), None),
        ((BLOCK + 1, 2), None),
        ((3, 200), 0),
    ],
)
def test_shapes(shape, axis, reduction):
    y_true, y_pred = targets_and_predictions("random", shape, np.float64)
    kept = random_kept(shape, 0.6)
    kept[0] = False  # whole samples too
    for gradient, rule in itertools.product(_kernels.GRADIENTS, ("value", "mask")):
        options = {"percentile": 0.9, "smoothing_factor": 2.0, "gradient": gradient, "axis": axis}
        for threads in (1, 3):
            check_without(y_true, y_pred, kept, rule, options, reduction, threads=threads)


@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
@pytest.mark.parametrize("rule", RULES)
def test_half_precision(rule, dtype):
    for shape, axis, reduction in itertools.product(
        ((41, 2), (700, 3)), (None, 0), _kernels.REDUCTIONS
    ):
        y_true, y_pred = targets_and_predictions("random", shape, dtype)
        options = {"percentile": 0.9, "smoothing_factor": 5.0, "axis": axis}
        check_without(y_true, y_pred, random_kept(shape, 0.7), rule, options, reduction)


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("n", [5, BUFFER + 5, 3 * BLOCK])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_all_ignored_is_no_loss_and_no_gradient(selection, n, rule, reduction):
    y_true, y_pred = targets_and_predictions("random", (n, 2), np.float32)
    kept = np.zeros((n, 2), bool)
    y_true, y_pred, rules, mask = without(y_true, y_pred, kept, rule)
    options = TailOptions(**rules)
    how = {"reduction": reduction, "mask": mask}
    loss, state = kernels.forward(y_true, y_pred, forced(options, selection), **how)
    gradient = kernels.backward(np.ones_like(loss), y_true, y_pred, state, options, **how)
    assert not loss.any()
    assert not gradient.any()
    assert state["valid"] == 0


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("n", [20, 1000])
def test_a_nan_that_counts_is_not_hidden(n, reduction):
    """The group is NaN, all but what is ignored in it; the other group is not."""
    d = np.random.default_rng(0).standard_normal((n, 2))
    d[3, 0] = np.nan
    y_true = np.zeros_like(d)
    y_true[5] = MISSING
    options = TailOptions(0.9, 3.0, axis=0, ignore_value=MISSING)
    loss, state = kernels.forward(y_true, d, options, reduction=reduction)
    gradient = kernels.backward(np.ones_like(loss), y_true, d, state, options, reduction=reduction)
    expected = oracle.tail_loss(y_true, d, options, reduction)
    np.testing.assert_array_equal(np.isnan(loss), np.isnan(expected.loss))
    assert np.isnan(gradient[0, 0])
    assert np.isfinite(gradient[:, 1]).all()
    np.testing.assert_array_equal(gradient[5], 0.0)


def test_the_value_is_compared_as_the_dtype_has_it():
    for dtype in (np.float32, np.float16):
        y_true = np.array([0.1, 0.0, 0.0], dtype)
        y_pred = np.array([9.0, 1.0, 2.0], dtype)
        _, state = kernels.forward(y_true, y_pred, TailOptions(1.0, ignore_value=0.1))
        assert state["threshold"] == 2.0


def test_bits_do_not_depend_on_the_number_of_threads():
    y_true, y_pred = targets_and_predictions("random", (100_000,), np.float32)
    y_true[random_kept((100_000,), 0.3)] = np.nan
    for options in (
        TailOptions(0.9, 2.0, ignore_nan=True),
        TailOptions(0.99, 50.0, beta=0.2, ignore_nan=True),
    ):
        results = []
        for threads in (1, 2, 5):
            loss, state = kernels.forward(
                y_true, y_pred, options, reduction="mean", threads=threads
            )
            gradient = kernels.backward(
                np.float32(1), y_true, y_pred, state, options, reduction="mean", threads=threads
            )
            results.append((loss.tobytes(), gradient.tobytes()))
        assert len(set(results)) == 1


@pytest.mark.parametrize("instruction_set", _kernels.build_info()["instruction_sets"])
def test_every_instruction_set(instruction_set):
    before = _kernels.instruction_set()
    try:
        _kernels.set_instruction_set(instruction_set)
        for dtype, rule, n in itertools.product(
            (np.float64, np.float32, np.float16, "bfloat16"), RULES, (7, 300, 9000)
        ):
            y_true, y_pred = targets_and_predictions("random", (n,), dtype)
            options = {"percentile": 0.9, "smoothing_factor": 5.0}
            check_without(y_true, y_pred, random_kept((n,), 0.7), rule, options, "mean")
    finally:
        _kernels.set_instruction_set(before)


@pytest.mark.parametrize("family", EXTREME_FAMILIES)
def test_numbers_that_are_not_nice(family):
    for n in (37, 500):
        d = residuals(family, n, np.float64)
        if family in LARGE_FAMILIES:  # room for s·e·h′
            d = d / 1e4
        options = {"percentile": 0.6, "smoothing_factor": 2.0, "error_scale": 3.0}
        kept = random_kept((n,), 0.7)
        check_without(np.zeros_like(d), d, kept, "value", options, "none")


@pytest.mark.parametrize("mask", [np.ones(3), np.ones((3, 1), bool), np.ones(2, bool)])
def test_a_wrong_mask(mask):
    with pytest.raises(ValueError, match=r"mask is \w+\(.*\): must be bool\(3,\), like y_pred"):
        kernels.forward(np.zeros(3), np.ones(3), mask=mask)
