"""Many short groups: a warp's, or some lanes' of one; on both sides of every border."""

from dataclasses import replace

import emulation
import numpy as np
import pytest
from emulation import Limits
from kinds import METHODS
from problems import (
    Problem,
    check,
    check_against_cpu,
    with_missing,
    with_residuals,
)

from tailops import _kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")

OPTIONS = TailOptions(0.9, 7.0, 3.0, 0.3, method="linear", axis=1)
# Every group is a warp's or less; and every one a block's.
LANES = Limits(short_elements=1024, short_groups_per_multiprocessor=0, shared_bytes=64 << 10)
BLOCKS = replace(LANES, short_elements=0, block_elements=4096)


def passes(emulated, problem, limits, seed=0):
    emulated.limits, emulated.seed = limits, seed
    return emulated.passes(problem)


def results(emulated, problem, limits, seed=0):
    """State, loss and gradient; one launch each way."""
    emulated.limits, emulated.seed = limits, seed
    forward = emulated.forward(problem)
    upstream = np.random.default_rng(0).uniform(0.5, 2, problem.geometry.output_shape)
    backward = emulated.backward(problem, upstream, forward.state)
    return forward, backward


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_every_short_length(emulated, dtype):
    """With more groups than there are teams, and a last block that is not full."""
    for n in range(1, 71):
        groups = 3 + n % 37
        y_true, y_pred = with_residuals("few_values" if n % 3 else "random", (groups, n), dtype)
        reduction = _kernels.REDUCTIONS[n % len(_kernels.REDUCTIONS)]
        problem = Problem(y_true, y_pred, OPTIONS, reduction)
        check(problem, *passes(emulated, problem, LANES, seed=n), n)


@pytest.mark.parametrize("border", [16, 32, 64, 128, 200, 257, 1024])
def test_around_the_borders(emulated, border):
    """Teams of 4, 8, 16 and 32 lanes, a batch of each lane, and where a block takes over."""
    limits = replace(LANES, short_elements=border)
    for n in (border - 1, border, border + 1):
        for family, percentile in (("random", 0.99), ("tied_at_the_top", 0.97), ("random", 0.4)):
            y_true, y_pred = with_residuals(family, (7, n), np.float32)
            problem = Problem(y_true, y_pred, replace(OPTIONS, percentile=percentile))
            check(problem, *passes(emulated, problem, limits, seed=n))


@pytest.mark.parametrize("family", ["random", "constant", "sorted", "half_zeros", "few_values"])
@pytest.mark.parametrize("method", METHODS)
def test_thresholds_do_not_depend_on_the_team(emulated, family, method):
    """Whether the rank is near the top or not, and little or much is near the threshold."""
    for n in (40, 500, 1000):
        y_true, y_pred = with_residuals(family, (5, n), np.float32)
        for percentile in (0.02, 0.5, 0.95, 0.985, 1.0):
            for kappa in (0.5, 400.0):
                options = replace(OPTIONS, percentile=percentile, smoothing_factor=kappa)
                options = replace(options, method=method)
                problem = Problem(y_true, y_pred, options)
                of_lanes, of_blocks = (
                    results(emulated, problem, limits)[0] for limits in (LANES, BLOCKS)
                )
                for name in of_lanes.state.dtype.names:
                    if name == "threshold_gradient":  # its sum has another order
                        continue
                    np.testing.assert_array_equal(of_lanes.state[name], of_blocks.state[name])
                np.testing.assert_allclose(of_lanes.loss, of_blocks.loss, rtol=1e-6)


@pytest.mark.parametrize("shape", [(6, 11), (6, 45), (6, 300)])
@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_special_groups_among_others(emulated, shape, gradient, reduction):
    """NaN in one, infinity in another, all ignored in a third; the others are as without them."""
    options = replace(OPTIONS, gradient=gradient)
    valid = np.random.default_rng(1).random(shape) < 0.8
    valid[2] = False
    valid[4] = True
    for dtype in ("float32", "float16"):
        problem = with_missing(shape, "mask", options, reduction, valid, dtype)
        problem.y_pred[4, 3] = np.nan
        problem.y_pred[5, np.flatnonzero(valid[5])[0]] = np.inf
        for limits in (LANES, BLOCKS):
            check(problem, *passes(emulated, problem, limits))


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("shape", [(3, 9, 5), (2, 31, 7), (2, 70, 3)])
def test_columns_and_rows_within_groups(emulated, shape, reduction):
    """Groups that lie strided, and groups of several rows."""
    for axis in (0, 1, None):
        for rule in ("value", "mask"):
            valid = np.random.default_rng(shape).random(shape) < 0.7
            problem = with_missing(shape, rule, replace(OPTIONS, axis=axis), reduction, valid)
            check_against_cpu(problem, *passes(emulated, problem, LANES))


def test_the_order_of_lanes_does_not_matter(emulated):
    """The same bits, whichever comes first."""
    for n in (13, 100, 700):
        problem = Problem(*with_residuals("random", (9, n), np.float32), OPTIONS)
        bits = set()
        for seed in range(5):
            forward, backward = results(emulated, problem, LANES, seed)
            parts = (forward.loss, forward.state, backward.gradient)
            bits.add(tuple(part.tobytes() for part in parts))
        assert len(bits) == 1


def test_one_launch_each_way(emulated):
    for n in (1, 10, 100, 1000):
        problem = Problem(*with_residuals("random", (50, n), np.float32), OPTIONS, "none")
        forward, backward = results(emulated, problem, LANES)
        assert (forward.launches, backward.launches) == (1, 1)
        mean, _ = results(emulated, replace(problem, reduction="mean"), LANES)
        assert mean.launches == 2  # and the one that adds up the groups


def test_keys_that_do_not_fit_are_a_blocks(emulated):
    """A team's keys all fit into shared memory, or a block does the group."""
    for shared_bytes in (0, 3000, 9000, 20_000, 64 << 10):
        for dtype in ("float32", "float64"):
            problem = Problem(*with_residuals("random", (20, 300), dtype), OPTIONS)
            check(problem, *passes(emulated, problem, replace(LANES, shared_bytes=shared_bytes)))
