"""Selection of one array: exact on every instruction set, thread count and adversarial family."""

import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals

from tailops import _kernels, kernels

SIZES = (1, 2, 23, 24, 25, 255, 2047, 2048, 2049, 8191, 8192, 8193, 40_000, 140_001)


@pytest.fixture(params=_kernels.build_info()["instruction_sets"])
def _instruction_set(request):
    before = _kernels.instruction_set()
    _kernels.set_instruction_set(request.param)
    yield
    _kernels.set_instruction_set(before)


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_every_family(family, dtype):
    for n in SIZES:
        x = residuals(family, n, dtype)
        ranks = sorted({0, n // 100, n // 2, n // 2 + n // 4, n - 1 - n // 100, n - 1})
        expected = np.sort(x.astype("float64"))[ranks]
        for threads in (1, 3):
            found = kernels.select(x, ranks, method="rank", threads=threads)
            np.testing.assert_array_equal(found.astype("float64"), expected)


def sampled_positions(n):
    """Where the kernel looks before its pass: a random element in each of some strata."""
    m = int(np.clip(int(n ** (2 / 3)), 256, 4096))
    mask = 2**64 - 1
    positions = []
    for i in range(m):
        z = ((i + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        positions.append(int((i + ((z ^ (z >> 31)) >> 11) * 2.0**-53) * (n / m)))
    return positions


@pytest.mark.parametrize("n", [5000, 100_000])
@pytest.mark.parametrize("seen", [1e6, -1e6, 0.1, np.inf, -np.inf])
def test_a_sample_that_misleads(n, seen):
    x = np.random.default_rng(0).standard_normal(n).astype("float32")
    x[sampled_positions(n)] = seen
    ranks = [0, 10, n // 2, n - 10, n - 1]
    for threads in (1, 2):
        found = kernels.select(x, ranks, method="rank", threads=threads)
        np.testing.assert_array_equal(found, np.sort(x)[ranks])
    # With a NaN that the sample does not see, and with one that it does.
    unseen = next(i for i in range(n) if i not in set(sampled_positions(n)))
    for at in (unseen, sampled_positions(n)[3]):
        with_nan = x.copy()
        with_nan[at] = np.nan
        assert np.isnan(kernels.select(with_nan, [0, n // 2], method="rank")).all()


@pytest.mark.parametrize("axis", [0, 1, 2, None])
def test_groups_and_threads(axis):
    x = np.random.default_rng(0).standard_normal((7, 300, 20))
    for threads in (1, 2, 5):
        found = kernels.select(x, [0.1, 0.5], axis=axis, threads=threads)
        np.testing.assert_array_equal(found, np.quantile(x, [0.1, 0.5], axis=axis))


def test_errors():
    x = np.ones((2, 3))
    for arguments, message in [
        (([1.5],), r"q=1\.5: must be in \[0, 1\]"),
        (([3], "rank", 1), r"n=3: must be in \[0, 3\), the size of the axis"),
        (([0.5], "median"), "method='median': must be one of"),
        (([0.5], "linear", 2), r"axis=2: must be in \[-2, 2\) for an input of shape \(2, 3\)"),
    ]:
        q, *rest = arguments
        with pytest.raises(ValueError, match=message):
            kernels.select(x, q, **dict(zip(("method", "axis"), rest, strict=False)))
    with pytest.raises(ValueError, match=r"input of shape \(0,\): there must be at least one"):
        kernels.select(np.ones(0), [0.5])
