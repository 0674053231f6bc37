"""Ignored elements: the emulated CUDA kernels do what the CPU kernels do."""

from dataclasses import replace

import emulation
import numpy as np
import pytest
from emulation import Limits
from problems import (
    IGNORED_VALUE,
    RULES,
    check,
    check_against_cpu,
    with_missing,
    with_residuals,
)

from tailops import _kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")

OPTIONS = TailOptions(0.8, 7.0, 3.0, 0.3, method="linear")
# A block per group; many blocks per group; and long rows, in parts.
PATHS = {
    "block": ((29, 4), Limits()),
    "grid": ((90, 3), Limits(block_elements=1, multiprocessors=5)),
    "strided": ((2, 60, 3), Limits(block_elements=1)),
    "parts": ((3, 130), Limits(row_part=40)),
    "vector": ((150,), Limits(row_part=40)),
}


def random_valid(shape, share=0.6):
    valid = np.random.default_rng(shape).random(shape) < share
    if len(shape) > 1:
        valid[0] = False  # whole samples too
    return valid


def checked(emulated, problem, over=None):
    check_against_cpu(problem, *emulated.passes(problem, over=over))


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("path", PATHS)
def test_the_same_as_on_the_cpu(emulated, path, axis, reduction):
    shape, emulated.limits = PATHS[path]
    if axis == len(shape):
        pytest.skip("no such axis")
    for seed, rule in enumerate(RULES):
        for gradient in ("exact", "fixed_weight"):
            options = replace(OPTIONS, axis=axis, gradient=gradient)
            problem = with_missing(shape, rule, options, reduction, random_valid(shape))
            emulated.seed = seed
            checked(emulated, problem, over=(None, 0, 1)[seed])


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("shape", [(5000,), (2500, 2), (40, 700)])
def test_a_large_group(emulated, shape, reduction):
    options, valid = replace(OPTIONS, smoothing_factor=50.0), random_valid(shape, 0.9)
    checked(emulated, with_missing(shape, "value", options, reduction, valid, np.float64))
    # The CPU rounds the upstream gradient of a row to float16 once more: here the oracle is nearer.
    problem = with_missing(shape, "value", options, reduction, valid, np.float16)
    check(problem, *emulated.passes(problem))


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("path", PATHS)
def test_all_ignored_is_no_loss_and_no_gradient(emulated, path, reduction):
    shape, emulated.limits = PATHS[path]
    for axis in (None, 0):
        for rule in RULES:
            options = replace(OPTIONS, axis=axis)
            problem = with_missing(shape, rule, options, reduction, np.zeros(shape, bool))
            result = emulated.forward(problem)
            gradient = emulated.backward(problem, np.ones_like(result.loss), result.state).gradient
            assert not result.loss.any()
            assert not gradient.any()
            assert not result.state.view(np.float64).any()


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("path", ["block", "grid"])
def test_a_nan_that_counts_is_not_hidden(emulated, path, reduction):
    shape, emulated.limits = PATHS[path]
    valid = random_valid(shape)
    problem = with_missing(shape, "mask", replace(OPTIONS, axis=0), reduction, valid)
    problem.y_pred.flat[np.flatnonzero(valid)[3]] = np.nan
    checked(emulated, problem)


def test_the_value_is_compared_as_the_dtype_has_it(emulated):
    y_true, _ = with_residuals("random", (60,), np.float32)
    valid = random_valid((60,))
    problem = with_missing((60,), "value", OPTIONS, "mean", valid)
    problem.y_true = np.where(valid, y_true, np.float32(0.1))
    problem.options = replace(problem.options, ignore_value=0.1)
    assert emulated.forward(problem).state["valid"] == valid.sum()
    checked(emulated, problem)


def test_launches_do_not_depend_on_what_is_ignored(emulated):
    """The counts that only ignoring needs are launches of their own."""
    for reduction, axis, forward, backward in (
        ("mean", None, 1, 1),
        ("mean", 1, 2, 2),
        ("none", None, 1, 1),
        ("per_sample", 1, 1, 2),
        ("sum", 1, 2, 2),
    ):
        for share in (0.0, 0.5, 1.0):
            valid = random_valid((40, 50), share)
            options = replace(OPTIONS, axis=axis)
            problem = with_missing((40, 50), "value", options, reduction, valid)
            assert problem.options.ignore_value == IGNORED_VALUE
            emulated.limits = Limits(block_elements=2000)
            result = emulated.forward(problem)
            assert result.launches == forward, (reduction, axis)
            upstream = np.ones(problem.geometry.output_shape, np.float32)
            passed = emulated.backward(problem, upstream, result.state)
            assert passed.launches == backward, (reduction, axis)
