"""The CUDA kernels of selection, run on the host: the same bits as the CPU kernels."""

import emulation
import numpy as np
import pytest
from emulated_selection import EmulatedSelection
from emulated_shapes import PATHS, random_shape
from emulation import LIMITS_OF_A_LARGE_GPU, Limits, random_limits
from families import EXTREME_FAMILIES, FAMILIES, residuals
from selections import FLOATS, INTEGERS, QS, QUANTILES, Case, check, integers, random_case

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


@pytest.fixture(scope="session")
def selection_library(tmp_path_factory):
    return EmulatedSelection.compile(tmp_path_factory.mktemp("selection"))


@pytest.fixture
def emulated(selection_library):
    return EmulatedSelection(selection_library)


def check_emulated(emulated, case, *, seed=0, offset=0, on_device=False, in_place=False):
    emulated.seed = seed
    floating = case.x.dtype.name in FLOATS
    check(
        case,
        lambda: emulated.forward(case, offset=offset, q_on_device=on_device),
        (lambda *of: emulated.backward(case, *of, offset=offset, in_place=in_place))
        if floating
        else None,
    )


@pytest.mark.parametrize("part", range(6))
def test_random_cases(emulated, part):
    for seed in range(part * 60, part * 60 + 60):
        rng = np.random.default_rng(seed)
        emulated.limits = random_limits(rng)
        case = random_case(rng, random_shape(rng, 2500))
        offset, flags = int(rng.integers(0, 4)), rng.integers(0, 2, 2).astype(bool)
        check_emulated(
            emulated, case, seed=seed, offset=offset, on_device=flags[0], in_place=flags[1]
        )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_small_size(emulated, dtype, path):
    emulated.limits = PATHS[path]
    for n in range(1, 71):
        x = residuals("few_values" if n % 2 else "random", n, dtype)
        check_emulated(emulated, Case(x, (0.0, 0.4, 0.9, 1.0)), seed=n)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", QUANTILES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_methods_and_axes(emulated, dtype, method, path):
    emulated.limits = PATHS[path]
    x = residuals("random", 6 * 41 * 5, dtype).reshape(6, 41, 5)
    x[2, 3] = np.nan
    for axis in (None, 0, 1, 2):
        for ignore_nan in (False, True):
            check_emulated(emulated, Case(x, (0.3, 0.5, 0.97), method, axis, ignore_nan))


@pytest.mark.parametrize("dtype", ["int8", "float16", "float32", "float64"])
def test_columns(emulated, dtype):
    """As many together as memory delivers at once, or as fit, or one by one."""
    rng = np.random.default_rng(0)
    for shared_bytes in (16 << 10, 3000, 0):
        emulated.limits = Limits(multiprocessors=1, shared_bytes=shared_bytes)
        for inner in (1, 2, 7, 8, 9, 33):
            for length in (1, 2, 32, 77):
                shape = (2, length, inner)
                if dtype == "int8":
                    case = Case(integers(rng, shape, dtype), (0.0, length - 1.0), "rank", 1)
                else:
                    x = residuals("few_values", 2 * length * inner, dtype).reshape(shape)
                    x[rng.random(shape) < 0.02] = np.nan
                    case = Case(x, (0.2, 0.9), axis=1, ignore_nan=bool(inner % 2))
                check_emulated(emulated, case, seed=inner)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(emulated, dtype, path):
    emulated.limits = PATHS[path]
    rng = np.random.default_rng(0)
    for shape in ((1,), (33,), (700,), (5, 60)):
        x = integers(rng, shape, dtype)
        for method in ("rank", "rank_from_top"):
            ranks = tuple(float(k) for k in (0, shape[-1] // 3, shape[-1] - 1))
            check_emulated(emulated, Case(x, ranks, method, -1), offset=1)
            check_emulated(emulated, Case(x.T.copy(), ranks, method, 0))


@pytest.mark.parametrize("method", ["linear", "midpoint"])
def test_no_interpolation_of_integers(emulated, method):
    case = Case(np.array([1, 2, 3, 10], np.int32), (0.5,), method)
    with pytest.raises(RuntimeError, match=f"method='{method}' of int32: interpolates"):
        emulated.forward(case)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_around_the_boundaries(emulated, dtype):
    """A vector, a warp's and a block's share of them, a group of a block, the shared memory."""
    lanes = 16 // np.dtype(dtype).itemsize
    limits = Limits()
    borders = {
        lanes, 2 * lanes, 32 * lanes, 64 * lanes, limits.block_elements, limits.shared_bytes // 4,
    }  # fmt: skip
    for n in sorted({border + k for border in borders for k in (-1, 0, 1)}):
        check_emulated(emulated, Case(residuals("tied_at_the_top", n, dtype)), seed=n)


@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("path", PATHS)
def test_every_family(emulated, family, path):
    emulated.limits = PATHS[path]
    for dtype in FLOATS:
        for n in (30, 500, 3000):
            check_emulated(emulated, Case(residuals(family, n, dtype), (0.01, 0.5, 0.99)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("ignore_nan", [False, True])
@pytest.mark.parametrize("dtype", FLOATS)
def test_nan(emulated, dtype, ignore_nan, path):
    emulated.limits = PATHS[path]
    for n in (1, 8, 40, 900):
        for share in (0.1, 0.9, 1.0):
            x = residuals("random", n, dtype)
            x[np.random.default_rng(n).random(n) < share] = np.nan
            x[0] = -np.nan
            check_emulated(emulated, Case(x, ignore_nan=ignore_nan))
            twice = np.stack([x, np.zeros_like(x)])
            check_emulated(emulated, Case(twice, axis=1, ignore_nan=ignore_nan))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 16, 17, 32, 33, 101, 300])
def test_many_quantiles(emulated, count, path):
    """One or two elements for each, in one or several rounds, from the host or from the device."""
    emulated.limits = PATHS[path]
    rng = np.random.default_rng(count)
    for dtype in ("float32", "float64", "float16"):
        x = residuals("random", 400, dtype)
        for method in ("linear", "lower"):
            case = Case(x, tuple(rng.random(count)), method)
            check_emulated(emulated, case, on_device=bool(rng.integers(2)))


@pytest.mark.parametrize("path", PATHS)
def test_what_the_host_cannot_check(emulated, path):
    """On the device, a q out of range is NaN, and so is its gradient; the others are as always."""
    emulated.limits = PATHS[path]
    x = residuals("random", 500, "float32").reshape(2, 250)
    for method, bad in (("linear", (-0.1, 1.5, np.nan)), ("rank", (-1.0, 250.0, np.nan))):
        good = Case(x, (0.0, 1.0), method, 1)
        case = Case(x, (0.0, *bad, 1.0), method, 1)
        value, state = emulated.forward(case, q_on_device=True)
        np.testing.assert_array_equal(value[[0, -1]], emulated.forward(good).value)
        assert np.isnan(value[1:-1]).all()
        assert np.isnan(emulated.backward(case, np.ones_like(value), state)).all()
    whole = integers(np.random.default_rng(0), (50,), "int16")
    found = emulated.forward(Case(whole, (-1.0, 50.0), "rank"), q_on_device=True).value
    np.testing.assert_array_equal(found, [whole.min(), whole.max()])


def test_infinite_and_missing_gradients(emulated):
    """An upstream gradient that is not finite touches only the elements that were selected."""
    x = np.array([3.0, 1.0, 2.0, np.inf], np.float32)
    case = Case(x, (0.0,), "lower")
    _, state = emulated.forward(case)
    slope = emulated.backward(case, np.array([np.inf], np.float32), state)
    np.testing.assert_array_equal(slope, [0, np.inf, 0, 0])


def test_the_order_of_threads_does_not_matter(emulated):
    x = residuals("few_values", 3000, "float32")
    for emulated.limits in PATHS.values():
        results = set()
        for emulated.seed in range(6):
            value, state = emulated.forward(Case(x))
            gradient = emulated.backward(Case(x), value, state)
            results.add((value.tobytes(), state.tobytes(), gradient.tobytes()))
        assert len(results) == 1


def test_launches_do_not_depend_on_the_data(emulated):
    """One for groups of a block; otherwise as many as the dtype and the number of q say."""
    expected = {
        ("float16", 1): 3,
        ("bfloat16", 1): 3,
        ("float32", 1): 4,
        ("float32", 2): 4,
        ("float32", 3): 5,
        ("float32", 16): 5,
        ("float32", 17): 10,
        ("float64", 1): 7,
        ("float64", 16): 9,
        ("float64", 40): 28,
    }
    for family in ("random", "constant", "sorted", "all_nan"):
        for (dtype, count), launches in expected.items():
            x = residuals("random" if family == "all_nan" else family, 700, dtype)
            if family == "all_nan":
                x[:] = np.nan
            for limits, of_path in (
                (Limits(block_elements=900), 1 + (count > 32)),
                (None, launches),
            ):
                emulated.limits = limits or PATHS["digits"]
                case = Case(x, tuple(np.linspace(0, 1, count)))
                _, state = emulated.forward(case)
                assert emulated.launches == of_path, (dtype, count, family)
                emulated.backward(case, np.ones(count, dtype), state)
                assert emulated.launches == 1


def test_the_workspace_is_small(emulated):
    """Under a mebibyte, with the limits of a large GPU."""
    emulated.limits = LIMITS_OF_A_LARGE_GPU
    for shape, axis in (((1 << 20,), None), ((20_000, 20), 0), ((200, 17_000), 1), ((70, 50), 1)):
        for count in (1, 7, 101):
            x = np.broadcast_to(np.float32(0), shape)
            assert 0 <= emulated.space(Case(x, QS[:1] * count, axis=axis)) < 2**20
