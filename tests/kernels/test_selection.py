"""The threshold is bit for bit the order statistic, on data that makes selections fail."""

import numpy as np
import oracle
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from kinds import METHODS
from quick import quick

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

BUFFER, BLOCK = _kernels.BUFFER_LENGTH, _kernels.BLOCK_LENGTH
PARALLEL = _kernels.PARALLEL_ELEMENTS
EVERY_FAMILY = [*FAMILIES, *EXTREME_FAMILIES]
BOUNDARIES = [
    BUFFER - 1,
    BUFFER,
    BUFFER + 1,
    PARALLEL - 1,
    PARALLEL,
    PARALLEL + 1,
    2 * PARALLEL + 1,
]


def assert_exact(d, *, methods, percentiles, selection="auto", threads=1):
    zeros = np.zeros_like(d)
    for method in methods:
        for percentile in percentiles:
            options = TailOptions(method=method, percentile=percentile)
            expected = oracle.tail_loss(zeros, d, options, "mean").thresholds
            options = forced(options, selection)
            _, state = kernels.forward(zeros, d, options, reduction="mean", threads=threads)
            np.testing.assert_array_equal(state["threshold"].astype(expected.dtype), expected)


@pytest.mark.parametrize("selection", quick("auto", of=_kernels.SELECTIONS))
@pytest.mark.parametrize("dtype", quick(np.float32, of=[np.float32, np.float64]))
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_every_small_size(family, dtype, selection):
    for n in range(1, 71):
        assert_exact(
            residuals(family, n, dtype),
            # What selects is the same for all: each rank is one that it is asked for.
            methods=METHODS if selection == "auto" else ["floor", "linear"],
            percentiles=[0.01, 0.5, 0.9, 0.99, 1.0],
            selection=selection,
        )


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_around_the_boundaries(family, dtype, threads):
    for n in BOUNDARIES:
        assert_exact(
            residuals(family, n, dtype),
            methods=["floor", "linear", "max_fraction"],
            percentiles=[0.3, 0.99],
            threads=threads,
        )


@pytest.mark.parametrize("dtype", [np.float16, "bfloat16"])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_half_precision_is_widened(family, dtype):
    for n in (1, 2, 33, 70, BUFFER + 1):
        assert_exact(residuals(family, n, dtype), methods=METHODS, percentiles=[0.5, 0.99])


@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
@pytest.mark.parametrize("nan", [np.nan, -np.nan, np.uint32(0x7F800001), np.uint32(0xFFFFFFFF)])
@pytest.mark.parametrize("n", [1, 2, 70, BUFFER + 1, PARALLEL + 1])
def test_any_nan_is_the_threshold(n, nan, selection):
    value = nan.view(np.float32) if isinstance(nan, np.uint32) else np.float32(nan)
    for position in {0, n // 2, n - 1}:
        d = residuals("random", n, np.float32)
        d[position] = value
        for percentile in (0.01, 1.0):
            options = forced(TailOptions(percentile=percentile), selection)
            _, state = kernels.forward(np.zeros_like(d), d, options, reduction="mean")
            assert np.isnan(state["threshold"]).all()


def test_ties_share_the_gradient_equally():
    d = np.array([1.0, -2.0, 2.0, 2.0, 5.0])
    for selection in _kernels.SELECTIONS:
        options = forced(TailOptions(percentile=0.5), selection)
        _, state = kernels.forward(np.zeros_like(d), d, options)
        assert state["lower"] == 2.0
        assert state["lower_weight"] == 1.0
        assert state["lower_ties"] == 3.0


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_one_threshold_per_slice(axis):
    d = residuals("random", 5 * 7 * 11, np.float32).reshape(5, 7, 11)
    _, state = kernels.forward(np.zeros_like(d), d, TailOptions(axis=axis, percentile=0.6))
    ordered = np.sort(np.abs(d), axis=axis)
    expected = np.take(ordered, int(0.6 * d.shape[axis]), axis=axis)
    np.testing.assert_array_equal(state["threshold"].astype(np.float32), expected.ravel())
