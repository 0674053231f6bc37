"""The CUDA kernels of range means, run on the host, against the definition in float64."""

import emulation
import numpy as np
import pytest
from emulated_range_means import EmulatedRangeMeans
from emulated_shapes import PATHS, random_shape
from emulation import LIMITS_OF_A_LARGE_GPU, Limits, random_limits
from families import EXTREME_FAMILIES, FAMILIES, residuals
from range_means import FLOATS, Case, check, expected, random_case, upstream_of

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")

# Of each kind one that cuts elements, ties among them; and of all there is.
RANGES = [
    ("between", (0.0, 1.0)),
    ("between", (0.0, 0.37)),
    ("between", (0.2, 0.8)),
    ("between", (0.95, 1.0)),
    ("between", (0.5, 0.5000001)),
    ("largest", (1.0, 0.0)),
    ("largest", (0.3, 0.0)),
    ("at_least", (np.inf, 2.0)),
    ("at_least", (0.3, 1.0)),
    ("at_least", (-np.inf, 1.0)),
]


@pytest.fixture(scope="session")
def range_mean_library(tmp_path_factory):
    return EmulatedRangeMeans.compile(tmp_path_factory.mktemp("range_means"))


@pytest.fixture
def emulated(range_mean_library):
    return EmulatedRangeMeans(range_mean_library)


def check_emulated(emulated, case, *, seed=0, offset=0, on_device=False, in_place=False):
    emulated.seed = seed
    check(
        case,
        lambda: emulated.forward(case, offset=offset, on_device=on_device),
        lambda *of: emulated.backward(case, *of, offset=offset, in_place=in_place),
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
@pytest.mark.parametrize(("kind", "bounds"), RANGES)
def test_every_small_size(emulated, kind, bounds, path):
    emulated.limits = PATHS[path]
    for n in range(1, 71):
        values = residuals("few_values" if n % 2 else "random", n, FLOATS[n % 4])
        check_emulated(emulated, Case(values, kind, bounds), seed=n)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_kinds_axes_and_masks(emulated, dtype, path):
    emulated.limits = PATHS[path]
    values = residuals("few_values", 6 * 41 * 5, dtype).reshape(6, 41, 5)
    mask = np.random.default_rng(0).random(values.shape) < 0.6
    mask[2], mask[:, :, 3] = True, False
    for kind, bounds in RANGES:
        for axis in (None, 0, 1, 2):
            for own in (None, mask):
                check_emulated(emulated, Case(values, kind, bounds, axis, own))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_columns(emulated, dtype):
    """As many together as memory delivers at once, or as fit, or one by one."""
    rng = np.random.default_rng(0)
    for shared_bytes in (16 << 10, 3000, 0):
        emulated.limits = Limits(multiprocessors=1, shared_bytes=shared_bytes)
        for inner in (1, 2, 7, 8, 9, 33):
            for length in (1, 2, 32, 77):
                values = residuals("few_values", 2 * length * inner, dtype)
                values = values.reshape(2, length, inner)
                mask = rng.random(values.shape) < 0.7
                check_emulated(emulated, Case(values, "between", (0.2, 0.9), 1, mask), seed=inner)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_around_the_boundaries(emulated, dtype):
    """A vector, a warp's and a block's share of them, a group of a block, the shared memory."""
    lanes = 16 // np.dtype(dtype).itemsize
    limits = Limits()
    borders = {
        lanes, 2 * lanes, 32 * lanes, 64 * lanes, limits.block_elements, limits.shared_bytes // 4,
    }  # fmt: skip
    for n in sorted({border + k for border in borders for k in (-1, 0, 1)}):
        values = residuals("tied_at_the_top", n, dtype)
        check_emulated(emulated, Case(values, "largest", (min(n, 7.5), 0.0)), seed=n)


@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("path", PATHS)
def test_every_family(emulated, family, path):
    emulated.limits = PATHS[path]
    # Of float64's largest numbers, sums are infinite.
    for dtype in FLOATS[: 3 if family in EXTREME_FAMILIES else 4]:
        for n in (30, 500, 3000):
            for bounds in ((0.0, 0.3), (0.3, 0.9), (0.99, 1.0)):
                check_emulated(emulated, Case(residuals(family, n, dtype), "between", bounds))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_threshold_between_two_numbers(emulated, dtype, path):
    """The threshold is of the type that is computed in; of 0 there is one."""
    emulated.limits = PATHS[path]
    values = residuals("few_values", 700, dtype)
    for threshold in (0.25 - 1e-12, 0.25 + 1e-12, -0.25 + 1e-12, -0.0, 0.0, 1e-300, -1e-300, 1e300):
        for least in (1.0, 90.0):
            check_emulated(emulated, Case(values, "at_least", (threshold, least)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("kind", "bounds"), RANGES)
def test_nan_infinity_and_nothing(emulated, kind, bounds, path):
    """A NaN that is valid is the group's; what is ignored is nobody's."""
    emulated.limits = PATHS[path]
    for n in (1, 8, 40, 900):
        values = np.stack([residuals("random", n, "float32")] * 7)
        mask = np.ones(values.shape, bool)
        values[1, n // 2] = -np.nan
        values[2, n // 2], mask[2, n // 2] = np.nan, n == 1
        values[3] = -np.inf
        values[4] = np.inf
        values[5, : n // 2], values[5, n // 2 :] = -np.inf, np.inf
        mask[6] = False
        check_emulated(emulated, Case(values, kind, bounds, 1, mask))
        check_emulated(emulated, Case(values.T.copy(), kind, bounds, 0, mask.T.copy()))


@pytest.mark.parametrize("path", PATHS)
def test_a_weight_of_0_makes_nothing_of_infinity(emulated, path):
    emulated.limits = PATHS[path]
    values = residuals("random", 400, "float32")
    values[::4], values[1::4] = np.inf, -np.inf
    case = Case(values, "between", (0.25, 0.75))
    assert np.isfinite(expected(case)[0])
    check_emulated(emulated, case)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        ("between", (0.5, 0.5)),
        ("between", (0.6, 0.5)),
        ("between", (-0.1, 0.5)),
        ("between", (0.5, 1.1)),
        ("between", (np.nan, 0.5)),
        ("between", (0.5, np.nan)),
        ("largest", (0.0, 0.0)),
        ("largest", (-1.0, 0.0)),
        ("largest", (np.nan, 0.0)),
        ("largest", (np.inf, 0.0)),
        ("at_least", (np.nan, 1.0)),
        ("at_least", (0.1, 0.9)),
        ("at_least", (0.1, np.nan)),
    ],
)
def test_what_the_host_cannot_check(emulated, kind, bounds, path):
    """Bounds on the device that are none: NaN, but for what is ignored, or a group of nothing."""
    emulated.limits = PATHS[path]
    values = residuals("random", 3 * 250, "float32").reshape(3, 250)
    mask = np.random.default_rng(0).random(values.shape) < 0.5
    mask[1] = False
    check_emulated(emulated, Case(values, kind, bounds, 1, mask), on_device=True)


@pytest.mark.parametrize("path", PATHS)
def test_more_than_are_valid(emulated, path):
    """Some of the groups have k; the others are NaN."""
    emulated.limits = PATHS[path]
    values = residuals("random", 4 * 250, "float32").reshape(4, 250)
    mask = np.arange(250) < np.array([[250], [100], [99], [0]])
    case = Case(values, "largest", (100.0, 0.0), 1, mask)
    np.testing.assert_array_equal(np.isnan(expected(case)[0]), [False, False, True, False])
    check_emulated(emulated, case)


def test_the_order_of_threads_does_not_matter(emulated):
    values = residuals("random", 3000, "float32")
    mask = np.random.default_rng(0).random(3000) < 0.8
    for emulated.limits in PATHS.values():
        for kind, bounds in (("between", (0.1, 0.9)), ("at_least", (0.3, 1.0))):
            results = set()
            case = Case(values, kind, bounds, None, mask)
            for emulated.seed in range(6):
                mean, state = emulated.forward(case)
                gradient = emulated.backward(case, upstream_of(case), state)
                results.add((mean.tobytes(), state.tobytes(), gradient.tobytes()))
            assert len(results) == 1


def test_launches_do_not_depend_on_the_data_or_the_bounds(emulated):
    """One for groups of a block; otherwise one, and one for each of the type's digits."""
    for dtype, launches in {"float16": 3, "bfloat16": 3, "float32": 4, "float64": 7}.items():
        for family in ("random", "constant", "all_nan"):
            values = residuals("random" if family == "all_nan" else family, 700, dtype)
            if family == "all_nan":
                values[:] = np.nan
            for kind, bounds in (*RANGES, ("between", (0.5, 0.4))):
                for emulated.limits, of_path in (
                    (Limits(block_elements=900), 1),
                    (PATHS["digits"], launches),
                ):
                    case = Case(values, kind, bounds)
                    _, state = emulated.forward(case)
                    assert emulated.launches == of_path, str(case)
                    emulated.backward(case, upstream_of(case), state)
                    assert emulated.launches == 1


def test_the_workspace_is_small(emulated):
    """Under a mebibyte, with the limits of a large GPU."""
    emulated.limits = LIMITS_OF_A_LARGE_GPU
    for shape, axis in (((1 << 20,), None), ((20_000, 20), 0), ((200, 17_000), 1), ((70, 50), 1)):
        values = np.broadcast_to(np.float32(0), shape)
        assert 0 <= emulated.space(Case(values, axis=axis)) < 2**20
