"""Errors of the kind "value": numbers of any sign, against the float64 oracle."""

import itertools

import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, LARGE_FAMILIES, residuals
from kinds import SOME_METHODS, TYPES_AND_METHODS, VALUE
from quick import quick
from test_ignored import random_kept
from test_tail_loss import check as check_with_targets

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

BUFFER, BLOCK = _kernels.BUFFER_LENGTH, _kernels.BLOCK_LENGTH
BOUNDARIES = [BUFFER - 1, BUFFER, BUFFER + 1, BLOCK - 1, BLOCK + 1, 2 * BLOCK + 1, 65537]
SIGNS = {"both": lambda v: v, "negative": lambda v: -np.abs(v), "mostly_negative": lambda v: v - 1}


def values_of(family, shape, dtype, sign="both"):
    n = int(np.prod(shape))
    return SIGNS[sign](residuals(family, n, np.float64)).astype(dtype).reshape(shape)


def options_of(*given, **options):
    return TailOptions(*given, error=VALUE, **options)


def check(values, options, reduction, **how):
    """The targets are NaN: a trace of them would show."""
    return check_with_targets(np.full_like(values, np.nan), values, options, reduction, **how)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_small_size(family, sign):
    for n, dtype in itertools.product(range(1, 71), (np.float64, np.float32)):
        values = values_of(family, (n,), dtype, sign)
        kept = random_kept((n,), 0.7)
        for mask in (None, kept):
            check(values, options_of(0.9, 3.0, 5.0), "mean", mask=mask)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("case", TYPES_AND_METHODS, ids=str)
def test_every_option(case, gradient, sign):
    dtype, method = case
    cases = itertools.product(
        ("random", "few_values", "tied_at_the_top", "zeros"),
        _kernels.REDUCTIONS,
        (0.3, 0.8),
        (None, 0, 1),
    )
    units = itertools.cycle(_kernels.SMOOTHING_UNITS)
    for (family, reduction, p, axis), unit in zip(cases, units, strict=False):
        values = values_of(family, (37, 3), dtype, sign)
        options = options_of(
            p, 7.0, 3.0, method=method, gradient=gradient, axis=axis, smoothing_unit=unit
        )
        for mask in (None, random_kept((37, 3), 0.7)):
            check(values, options, reduction, mask=mask)


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
def test_half_precision(dtype, gradient):
    for reduction, (shape, axis) in itertools.product(
        _kernels.REDUCTIONS, [((41, 2), None), ((700, 2), None), ((700, 2), 0), ((40, 9), 1)]
    ):
        values = values_of("random", shape, dtype)
        options = options_of(0.9, 5.0, 3.0, gradient=gradient, axis=axis)
        for mask in (None, random_kept(shape, 0.7)):
            check(values, options, reduction, mask=mask)


@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("n", quick(BUFFER, BUFFER + 1, BLOCK + 1, of=BOUNDARIES))
def test_around_the_boundaries(n, sign, selection):
    method = SOME_METHODS[n % len(SOME_METHODS)]
    for family, p, kappa, share in itertools.product(
        ("random", "sorted", "few_values"), (0.02, 0.5, 0.98), (2.0, 60.0), (0.02, 0.7, 1.0)
    ):
        values = values_of(family, (n,), np.float64, sign)
        mask = random_kept((n,), share) if share < 1 else None
        options = options_of(p, kappa, 5.0, method=method)
        check(values, options, "mean", mask=mask, threads=2, selection=selection)


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((2, 33_000), 1),
        ((33_000, 2), 0),
        ((20_000, 3), 0),
        ((900, 40), 0),
        ((40, 900), 1),
        ((300, 7), 1),
        ((7, 300), 0),
        ((90, 7, 3), 1),
    ],
)
def test_groups_large_small_and_strided(shape, axis, reduction):
    for sign, p, masked in itertools.product(SIGNS, (0.1, 0.9), (False, True)):
        values = values_of("random", shape, np.float64, sign)
        mask = random_kept(shape, 0.6) if masked else None
        check(values, options_of(p, 5.0, axis=axis), reduction, mask=mask, threads=2)


@pytest.mark.parametrize("family", EXTREME_FAMILIES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numbers_that_are_not_nice(family, dtype):
    for n, gradient, method, p in itertools.product(
        (1, 2, 37, 500, 3000), _kernels.GRADIENTS, ("floor", "linear"), (0.1, 0.6)
    ):
        values = residuals(family, n, dtype)
        if family in LARGE_FAMILIES:  # room for s·e·h′
            values = values / 1e4
        options = options_of(p, 2.0, 3.0, gradient=gradient, method=method)
        for mask in (None, random_kept((n,), 0.7)):
            check(values, options, "none", mask=mask)


@pytest.mark.parametrize("ends", [(-np.inf,), (np.inf,), (-np.inf, np.inf)])
def test_infinite_values(ends):
    """−∞ is at the other end: it is below every threshold, and no other element's concern."""
    for n, p, kappa, reduction in itertools.product(
        (5, 40, 300, 3000), (0.01, 0.5, 1.0), (0.0, 2.0, 100.0), ("none", "mean")
    ):
        rng = np.random.default_rng(n)
        values = rng.standard_normal(n)
        values[rng.permutation(n)[: max(1, n // 9)]] = rng.choice(ends, max(1, n // 9))
        for method, gradient in itertools.product(
            ("floor", "linear", "max_fraction"), _kernels.GRADIENTS
        ):
            options = options_of(p, kappa, 3.0, method=method, gradient=gradient)
            check(values, options, reduction)


@pytest.mark.parametrize("kappa", [0.0, 3.0, 1e18, 1e30])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n", [37, 5000])
def test_subnormal_values_among_others(n, dtype, kappa):
    some = np.random.default_rng(0).random(n) < 0.5
    values = np.where(some, residuals("subnormal", n, dtype), residuals("random", n, dtype))
    for p, method in itertools.product((0.3, 0.9), ("floor", "linear")):
        check(values, options_of(p, kappa, 3.0, method=method), "sum")


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("kappa", [0.0, 1e-3, 1e3, 1e30])
def test_extreme_options(kappa, gradient):
    for n, reduction, scale in itertools.product((3, 300, 9000), ("none", "mean"), (0.0, 1e4)):
        values = values_of("random", (n,), np.float64)
        check(values, options_of(0.4, kappa, scale, gradient=gradient), reduction)


@pytest.mark.parametrize("family", ["random", "few_values", "infinite", "subnormal", "every_key"])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_thresholds_of_what_is_left(family, selection):
    """To the bit, whatever the sign; of what is ignored, nothing is among the ties."""
    for n, p, share in itertools.product((37, 300, 20_000), (0.01, 0.5, 0.999), (0.1, 0.9)):
        values, kept = residuals(family, n, np.float32), random_kept((n,), share)
        for method in ("floor", "linear"):
            options = options_of(p, method=method)
            expected = oracle.tail_loss(values[kept], values[kept], options).thresholds
            masked = np.where(kept, values, np.float32(0))
            _, state = kernels.forward(
                masked, masked, forced(options, selection), reduction="mean", mask=kept
            )
            np.testing.assert_array_equal(state["threshold"].astype(np.float32), expected)
            np.testing.assert_array_equal(state["valid"], kept.sum())
            ties = np.sum(values[kept] == state["lower"][0])
            np.testing.assert_array_equal(state["lower_ties"], ties)


@pytest.mark.parametrize("n", [3, BUFFER + 5, 3 * BLOCK])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_all_ignored(reduction, selection, n):
    values = values_of("random", (n, 2), np.float32)
    options, mask = options_of(0.9), np.zeros(values.shape, bool)
    loss, _, gradient = check(values, options, reduction, mask=mask, selection=selection)
    assert not loss.any()
    assert not gradient.any()


@pytest.mark.parametrize("n", [37, 300, 3000])
def test_a_nan(n):
    """It is its group's, unless it is ignored; that of a target is nobody's."""
    values = values_of("random", (n, 3), np.float32)
    values[n // 2, 1] = np.nan
    for reduction in ("none", "per_sample", "mean"):
        check(values, options_of(0.9, 3.0, axis=0), reduction)
        loss, state, _ = check(values, options_of(0.9, 3.0, axis=0, ignore_nan=True), reduction)
        assert np.isfinite(loss).all()
        np.testing.assert_array_equal(state["valid"], [n, n - 1, n])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, "bfloat16"])
def test_every_instruction_set(instruction_set, dtype):  # noqa: ARG001
    for (n, reduction), masked, p in itertools.product(
        [(7, "none"), (300, "mean"), (9000, "mean"), (9000, "none")], (False, True), (0.2, 0.95)
    ):
        values = values_of("random", (n,), dtype)
        mask = random_kept((n,), 0.7) if masked else None
        check(values, options_of(p, 5.0, 3.0), reduction, mask=mask)
    for shape, axis in (((300, 40), 0), ((40, 9), 1), ((9, 40), 0)):
        check(values_of("random", shape, dtype), options_of(0.9, 5.0, axis=axis), "per_sample")


@pytest.mark.parametrize("n", [10**6])
def test_sums_that_cancel(n):
    """Relative to the sum of magnitudes: what is left of it may be a millionth."""
    for p, kappa in ((0.01, 5.0), (0.99, 20.0), (0.5, 1e3)):
        check(values_of("random", (n,), np.float32), options_of(p, kappa), "mean", threads=2)


def test_bits_do_not_depend_on_the_number_of_threads():
    values = values_of("random", (100_000,), np.float32)
    for options, share in itertools.product(
        (options_of(0.9, 2.0), options_of(0.99, 50.0)), (0.3, 1.0)
    ):
        mask = random_kept(values.shape, share) if share < 1 else None
        results = set()
        for threads in (1, 2, 5):
            found = check(values, options, "mean", mask=mask, threads=threads)
            results.add(b"".join(one.tobytes() for one in found))
        assert len(results) == 1


def test_a_value_has_no_residual_and_no_target():
    with pytest.raises(ValueError, match=r"beta=0\.2: must be 0 with error='value'"):
        options_of(beta=0.2)
    with pytest.raises(ValueError, match=r"ignore_value=-1: must not be given with error='value'"):
        options_of(ignore_value=-1.0)
