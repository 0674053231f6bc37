"""Many small groups, each of which starts from what the one before it has taught."""

import numpy as np
import oracle
import pytest
from families import FAMILIES, residuals
from test_tail_loss import check

from tailops import kernels
from tailops._options import TailOptions


def drifting(rows, length):
    """Groups alike, then of other scales, then of other kinds, then one with a NaN."""
    d = residuals("random", rows * length, np.float32).reshape(rows, length)
    d[rows // 4 : rows // 2] *= np.geomspace(1e-3, 1e3, rows // 2 - rows // 4)[:, None]
    for row, family in zip(range(rows // 2, rows), FAMILIES, strict=False):
        d[row] = residuals(family, length, np.float32)
    return d


@pytest.mark.parametrize("shape", [(130, 300), (200, 1000), (70, 9000), (24, 32_767), (300, 257)])
@pytest.mark.parametrize("percentile", [0.99, 0.9, 0.5])
def test_thresholds_and_bits(shape, percentile):
    d = drifting(*shape)
    d[7, 5] = np.nan
    zeros = np.zeros_like(d)
    for method in ("floor", "linear", "max_fraction"):
        options = TailOptions(percentile, 30.0, method=method, axis=1)
        expected = oracle.tail_loss(zeros, d, options, "mean").thresholds
        results = []
        for threads in (1, 2, 3):
            loss, state = kernels.forward(zeros, d, options, reduction="mean", threads=threads)
            results.append(loss.tobytes() + state.tobytes())
            found = state["threshold"].astype(expected.dtype)
            np.testing.assert_array_equal(found, expected)
        assert len(set(results)) == 1


@pytest.mark.parametrize("selection", ["auto", "miss"])
@pytest.mark.parametrize("kappa", [20.0, 100.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_threshold_just_below_where_it_was_expected(axis, kappa, selection):
    """Within reach of the bracket, and elements near it that the pass took for far from it."""
    d = np.abs(residuals("random", 64 * 1000, np.float64).reshape(64, 1000))
    d *= (0.995 ** np.arange(64))[:, None]
    d = np.ascontiguousarray(d if axis == 1 else d.T)
    for error in ("absolute", "squared"):
        options = TailOptions(0.97, kappa, 5.0, error=error, axis=axis)
        check(np.zeros_like(d), d, options, "mean", selection=selection)


@pytest.mark.parametrize("reduction", ["per_sample", "mean"])
@pytest.mark.parametrize("kappa", [50.0, 0.5])
def test_loss_and_gradient(kappa, reduction):
    d = drifting(90, 400).astype(np.float64)
    options = TailOptions(0.97, kappa, 5.0, 0.2, axis=1)
    check(np.zeros_like(d), d, options, reduction, threads=2)


@pytest.mark.parametrize("groups", [1, 2])
def test_more_candidates_than_the_buffer_is_kept_for(groups):
    """A fifth of each group is above the threshold's bracket: more than 4 MiB of candidates."""
    n = 6_000_000
    d = np.zeros((groups, n), np.float32)
    d[:, ::5] = 1.0
    options = TailOptions(0.9, 20.0, axis=1)
    loss, state = kernels.forward(np.zeros_like(d), d, options, reduction="mean")
    np.testing.assert_array_equal(state["threshold"], 1.0)
    # The indicator is ½ at the threshold: each of the fifth counts 1 + ½·10.
    np.testing.assert_allclose(loss, 0.2 * 6.0, rtol=1e-6)
