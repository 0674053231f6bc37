"""Selection of one array: exact on every instruction set, thread count and adversarial family."""

import re

import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals, sampled_positions

from tailops import _kernels, kernels
from tailops._options import RANK_RULES

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


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint16", "uint64"])
def test_no_interpolation_of_integers(dtype):
    x = np.array([1, 2, 3, 10], dtype)
    discrete = [name for name in RANK_RULES if name not in _kernels.INTERPOLATING_METHODS]
    allowed = ", ".join(map(repr, [*discrete, "rank", "rank_from_top"]))
    for method in _kernels.INTERPOLATING_METHODS:
        message = f"method='{method}' of {dtype}: interpolates, so of integers it must be one of "
        with pytest.raises(ValueError, match=message + allowed):
            kernels.select(x, [0.5], method=method)
    for method in discrete:
        expected = 3 if method == "floor" else np.quantile(x, 0.5, method=method)
        assert kernels.select(x, [0.5], method=method) == expected


def test_a_gradient_of_another_shape_is_told_the_values():
    x = np.arange(6.0).reshape(2, 3)
    state = kernels.select_forward(x, [0.5, 0.9], axis=1).state
    for wrong in (np.ones(2), np.ones((1, 2)), np.ones((3, 2)), np.ones((2, 3)), np.float64(1)):
        message = rf"upstream of shape {re.escape(str(wrong.shape))}: must be \(2, 2\)"
        with pytest.raises(ValueError, match=message):
            kernels.select_backward(wrong, x, state, axis=1)
    with pytest.raises(ValueError, match=r"state of shape \(1, 8\): must be \(2, 8\)"):
        kernels.select_backward(np.ones((2, 2)), x, state[:1], axis=1)


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", ["random", "few_values", "signed_zeros"])
def test_every_rank_of_every_small_size(family, dtype):
    rng = np.random.default_rng(3)
    for n in range(1, 140):
        x = rng.standard_normal(n).astype(dtype)
        if family == "few_values":
            x = np.round(x).astype(dtype)
        elif family == "signed_zeros":
            tiny = np.finfo(dtype).smallest_subnormal
            x = rng.choice(np.array([-tiny, -0.0, 0.0, tiny], dtype), n)
        found = kernels.select(x, list(range(n)), method="rank")
        np.testing.assert_array_equal(found, np.sort(x))


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("seen", [-1e6, 1e6, -np.inf, np.inf, 0.0])
def test_a_pivot_that_misleads(seen, lanes):
    """Pivots come from evenly spaced places: here all of them at one end, again and again."""
    for n in (49, 100, 257, 1000, 2048):
        x = np.random.default_rng(n).standard_normal(n)
        left = np.arange(n)
        for _ in range(6):
            at = (2 * np.arange(lanes) + 1) * left.size // (2 * lanes)
            x[left[at]] = seen
            left = np.delete(left, at)
            if left.size < lanes:
                break
        for dtype in ("float32", "float64"):
            ranks = [0, n // 10, n // 2, n - 1 - n // 10, n - 1]
            found = kernels.select(x.astype(dtype), ranks, method="rank")
            np.testing.assert_array_equal(found, np.sort(x.astype(dtype))[ranks])
