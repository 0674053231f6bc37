"""The error kind "value" on the emulated GPU: numbers of any sign, targets that are not read."""

import itertools

import emulation
import numpy as np
import pytest
from emulation import Limits, random_limits
from kinds import VALUE
from problems import (
    EVERY_FAMILY,
    EXACT_STATE,
    Problem,
    check_against_cpu,
    extreme,
    of_values,
    random_problem,
)
from test_emulated_kernels import check_emulated, sampled_positions

from tailops import _kernels, kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


def problem_of(values, *given, reduction="mean", mask=None, selection="auto", **options):
    targets = np.full_like(values, np.nan)
    options = TailOptions(*given, error=VALUE, **options)
    return Problem(targets, values, options, reduction, mask, selection)


@pytest.mark.parametrize("part", range(4))
def test_random_problems(emulated, part):
    """As those of all kinds, with the residuals as values."""
    for seed in range(part * 40, part * 40 + 40):
        rng = np.random.default_rng([seed, 1])
        emulated.limits = random_limits(rng)
        p = of_values(random_problem(rng))
        if rng.random() < 0.3:
            p.y_pred = -np.abs(p.y_pred)
        offsets = tuple(int(k) for k in rng.integers(0, 4, 3))
        check_emulated(emulated, p, seed, offsets=offsets, over=[None, 0, 1][rng.integers(3)])


def test_every_small_size(emulated):
    rng = np.random.default_rng(0)
    for n, sign in itertools.product(range(1, 71), (1, -1)):
        values = (sign * np.abs(rng.standard_normal(n)) - 0.3).astype(np.float32)
        mask = rng.random(n) < 0.7 if n % 3 == 0 else None
        check_emulated(emulated, problem_of(values, 0.9, 3.0, 5.0, method="linear", mask=mask), n)


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_thresholds_are_those_of_the_cpu(emulated, family, selection):
    """Bit for bit, and so is all of the state that is exact."""
    for dtype, n, method in (
        (np.float32, 2500, "floor"),
        (np.float32, 500, "linear"),
        (np.float64, 2500, "midpoint"),
        (np.float64, 300, "max_fraction"),
    ):
        for percentile, sign in itertools.product((0.02, 0.99), (1, -1)):
            values = sign * extreme(family, n, dtype)
            problem = problem_of(values, percentile, method=method, selection=selection)
            state = emulated.forward(problem).state
            on_cpu = kernels.forward(values, values, problem.options, reduction="mean").state
            for name in EXACT_STATE:
                np.testing.assert_array_equal(state[name], on_cpu[name], err_msg=name)


@pytest.mark.parametrize("family", ["random", "few_values", "sorted", "half_zeros"])
def test_a_large_group(emulated, family):
    """With a sample that is small against it: one pass where little is near, two otherwise."""
    emulated.limits = Limits(spare_bytes=2048, blocks_per_multiprocessor=3)
    for p, kappa, sign in itertools.product((0.02, 0.5, 0.98), (2.0, 400.0), (1, -1)):
        values = sign * extreme(family, 20_000, np.float32)
        check_emulated(emulated, problem_of(values, p, kappa, 3.0), offsets=(1, 1, 1))


@pytest.mark.parametrize("spare_bytes", [512, 200_000])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_a_sample_that_misleads(emulated, spare_bytes, selection):
    """What is drawn is smaller than all the rest, or larger; and on either side of zero."""
    n, size = 5000, 64
    emulated.limits = Limits(spare_bytes=spare_bytes)
    drawn = sampled_positions(size, n)
    rng = np.random.default_rng(0)
    for sampled, others in (((-3.0, -2.0), (-1.0, 1.0)), ((3.0, 4.0), (-2.0, -1.0))):
        values = rng.uniform(*others, n).astype(np.float32)
        values[drawn] = rng.uniform(*sampled, size)
        for p, kappa in itertools.product((0.2, 0.9), (3.0, 300.0)):
            problem = problem_of(values, p, kappa, method="linear", selection=selection)
            check_emulated(emulated, problem)


@pytest.mark.parametrize(("shape", "axis"), [((40, 300), 1), ((300, 40), 0), ((9, 70, 3), 1)])
def test_groups(emulated, shape, axis):
    """Of a warp, where little is above the threshold: with the largest values, and columns."""
    rng = np.random.default_rng(0)
    for p, reduction, masked in itertools.product(
        (0.02, 0.97), ("none", "per_sample", "mean"), (False, True)
    ):
        values = rng.standard_normal(shape).astype(np.float32) - 1
        mask = rng.random(shape) < 0.6 if masked else None
        problem = problem_of(values, p, 30.0, axis=axis, reduction=reduction, mask=mask)
        check_emulated(emulated, problem)
        check_against_cpu(problem, *emulated.passes(problem))


def test_infinite_values(emulated):
    rng = np.random.default_rng(0)
    for n, p, ends in itertools.product(
        (40, 3000), (0.01, 0.5, 1.0), ((-np.inf,), (np.inf,), (-np.inf, np.inf))
    ):
        values = rng.standard_normal(n)
        values[rng.permutation(n)[: n // 9]] = rng.choice(ends, n // 9)
        for method, gradient in itertools.product(("floor", "linear"), _kernels.GRADIENTS):
            for reduction in ("none", "mean"):
                check_emulated(
                    emulated,
                    problem_of(
                        values, p, 2.0, method=method, gradient=gradient, reduction=reduction
                    ),
                )
