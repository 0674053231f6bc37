"""The CUDA kernels for shares of a union on a GPU, against the kernels of one device on the CPU."""

from dataclasses import replace

import arrays
import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES
from problems import Problem, check_against_cpu, of_values, with_residuals
from range_means import FLOATS, check, random_case
from unions import losses_on_device, means_on_device

from tailops import _kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(not arrays.library(), reason="neither PyTorch nor CuPy")

SHAPES = [(50,), (5000,), (100_000,), (300, 70), (70, 300), (40_000, 3), (90, 5, 7)]


def usable():
    return [dtype for dtype in FLOATS if arrays.takes(dtype)]


def cuts_of(rng, rows):
    """Up to four, some of which may leave a share with nothing."""
    return sorted(rng.integers(0, rows + 1, rng.integers(0, 5)))


def random_problem(rng, shape):
    family = rng.choice([*FAMILIES, *EXTREME_FAMILIES])
    y_true, y_pred = with_residuals(family, shape, np.dtype(rng.choice(usable())))
    options = TailOptions(
        rng.choice([0.01, 0.5, 0.9, 0.99, 1.0]),
        7.0,
        3.0,
        0.3,
        axis=rng.choice([None, 0]),
        method=str(rng.choice(_kernels.METHODS)),
        gradient=str(rng.choice(_kernels.GRADIENTS)),
        smoothing_unit=str(rng.choice(_kernels.SMOOTHING_UNITS)),
    )
    mask = rng.random(shape) < 0.7 if rng.random() < 0.3 else None
    if rng.random() < 0.2:
        y_pred.flat[rng.integers(y_pred.size)] = rng.choice([np.nan, -np.nan])
    problem = Problem(y_true, y_pred, options, "none", mask)
    return of_values(problem) if rng.random() < 0.2 else problem


@pytest.mark.parametrize("part", range(8))
def test_random_losses(part):
    for seed in range(part * 20, part * 20 + 20):
        rng = np.random.default_rng(seed)
        shape = SHAPES[rng.integers(len(SHAPES))]
        problem = random_problem(rng, shape)
        check_against_cpu(problem, *losses_on_device(problem, cuts_of(rng, shape[0])))


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_small_size(dtype):
    if not arrays.takes(dtype):
        pytest.skip("no arrays of this type")
    rng = np.random.default_rng(0)
    for n in range(1, 71):
        y_true, y_pred = with_residuals("few_values", (n,), np.dtype(dtype))
        problem = Problem(y_true, y_pred, TailOptions(0.8, 5.0, method="linear"), "none")
        cuts = cuts_of(rng, n)
        check_against_cpu(problem, *losses_on_device(problem, cuts))
        column = replace(problem.options, axis=0)
        pairs = [np.stack([x, x[::-1]], -1) for x in (y_true, y_pred)]
        problem = Problem(*pairs, column, "none")
        check_against_cpu(problem, *losses_on_device(problem, cuts))


@pytest.mark.parametrize("part", range(8))
def test_random_ranges(part):
    for seed in range(part * 20, part * 20 + 20):
        rng = np.random.default_rng(seed)
        shape = SHAPES[rng.integers(len(SHAPES))]
        case = random_case(rng, shape, usable())
        case.axis = None if case.axis is None else 0
        check(case, *means_on_device(case, cuts_of(rng, shape[0])))
