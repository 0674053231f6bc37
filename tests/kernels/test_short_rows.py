"""Selection from many short rows, which the kernels take side by side."""

import ml_dtypes  # noqa: F401  NumPy knows the dtype "bfloat16" once this is imported
import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals

from tailops import kernels

FLOATS = ["float16", "bfloat16", "float32", "float64"]
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
# Up to 128 elements a row they are; 16 rows, 4 ranks or fewer.
LENGTHS = [*range(1, 71), 127, 128, 129]


def rows_of(family, rows, length, dtype):
    return residuals(family, rows * length, dtype).reshape(rows, length)


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_length(dtype):
    families = [*FAMILIES, *EXTREME_FAMILIES]
    for length in LENGTHS:
        x = rows_of(families[length % len(families)], 41, length, dtype)
        ranks = sorted({0, length // 2, int(0.9 * length), length - 1})
        value, state = kernels.select_forward(x, ranks, method="rank", axis=1)
        expected = np.sort(x, axis=1)[:, ranks].T
        np.testing.assert_array_equal(value, expected)
        wide, found = x.astype(np.float64), expected.astype(np.float64)
        ties = (wide == found[:, :, None]).sum(axis=2)
        np.testing.assert_array_equal(state.reshape(41, len(ranks), 4)[:, :, 2], 1 / ties.T)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype):
    info = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    for length in (1, 2, 10, 33, 128):
        x = rng.integers(info.min, info.max, (50, length), dtype, endpoint=True)
        ranks = [0, length // 3, length - 1]
        value = kernels.select(x, ranks, method="rank", axis=1)
        np.testing.assert_array_equal(value, np.sort(x, axis=1)[:, ranks].T)


@pytest.mark.parametrize("method", ["linear", "midpoint", "nearest", "lower", "higher"])
@pytest.mark.parametrize("q", [[0.5], [0.1, 0.9], [0.0, 0.25, 0.5, 0.75, 1.0]])
def test_quantiles_are_numpys(method, q):
    """The last are of more than four ranks: each row by itself."""
    x = rows_of("random", 60, 11, np.float64)
    for axis in (1, -1):
        found = kernels.select(x, q, method=method, axis=axis)
        np.testing.assert_allclose(found, np.quantile(x, q, axis=axis, method=method), rtol=1e-14)


@pytest.mark.parametrize("groups", [15, 16, 17, 255, 256, 257, 5000])
def test_number_of_rows_and_of_threads(groups):
    x = rows_of("random", groups, 10, np.float32)
    results = set()
    for threads in (1, 2, 5):
        value, state = kernels.select_forward(x, [0.3], axis=1, threads=threads)
        results.add(value.tobytes() + state.tobytes())
    np.testing.assert_allclose(value[0], np.quantile(x, 0.3, axis=1), rtol=0, atol=1e-6)
    assert len(results) == 1


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("nan", [np.nan, -np.nan])
def test_a_nan_is_its_rows_and_no_others(nan, dtype):
    x = rows_of("random", 40, 10, dtype)
    x[7, 3] = nan
    value, state = kernels.select_forward(x, [0.0, 0.5], method="lower", axis=1)
    assert np.isnan(value[:, 7].astype(np.float64)).all()
    others = np.arange(40) != 7
    expected = np.sort(x[others], axis=1)[:, [0, 4]].T
    np.testing.assert_array_equal(value[:, others], expected)
    gradient = kernels.select_backward(np.ones_like(value), x, state, axis=1)
    assert np.isnan(gradient.astype(np.float64)).sum() == 10


def test_rows_without_their_nans():
    x = rows_of("random", 40, 10, np.float64)
    x[np.random.default_rng(0).random(x.shape) < 0.3] = np.nan
    found = kernels.select(x, [0.5], axis=1, ignore_nan=True)
    np.testing.assert_allclose(found[0], np.nanquantile(x, 0.5, axis=1), rtol=1e-14)
