"""The CUDA kernels of range means on a GPU, against the definition in float64."""

import arrays
import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from range_means import FLOATS, Case, random_case
from weighted import check_range_mean, random_range

from tailops import cuda, kernels

pytestmark = pytest.mark.skipif(not arrays.library(), reason="neither PyTorch nor CuPy")

LARGE = (1 << 18) + 37
# Of each kind one that cuts elements.
RANGES = [
    ("between", (0.1, 0.87)),
    ("between", (0.95, 1.0)),
    ("largest", (17.5, 0.0)),
    ("at_least", (0.3, 2.0)),
    ("at_least", (np.inf, 30.0)),
]
SHAPES = [(50,), (5000,), (100_000,), (300, 70), (70, 300), (3, 40_000), (40_000, 3), (5, 90, 7)]


def check_on_gpu(case, *, offset=0, in_place=False, on_device=False):
    values = arrays.to_device(case.values, offset)
    mask = None if case.mask is None else arrays.to_device(case.mask, offset)
    weights = None if case.weights is None else arrays.to_device(case.weights, offset)
    bounds = arrays.to_device(np.array(case.bounds)) if on_device else case.bounds

    def forward():
        arrays.dirty_the_memory()
        mean, state = cuda.range_mean_forward(
            values, bounds, case.kind, case.axis, mask, weights=weights
        )
        return arrays.to_host(mean), arrays.to_host(state)

    def backward(upstream, state):
        gradient = cuda.range_mean_backward(
            arrays.to_device(upstream).reshape(case.shape_of_groups),
            values,
            arrays.to_device(state),
            case.axis,
            mask,
            out=values if in_place else None,
        )
        return arrays.to_host(gradient)

    check_range_mean(case, forward, backward)


def usable():
    return [dtype for dtype in FLOATS if arrays.takes(dtype)]


@pytest.mark.parametrize("part", range(8))
def test_random_cases(part):
    for seed in range(part * 40, part * 40 + 40):
        rng = np.random.default_rng(seed)
        case = random_case(rng, SHAPES[rng.integers(len(SHAPES))], usable())
        offset, flags = int(rng.integers(0, 4)), rng.integers(0, 2, 2).astype(bool)
        # On the host, a range beyond the number of elements is an error.
        check_on_gpu(case, offset=offset, in_place=flags[0], on_device=flags[1])


@pytest.mark.parametrize("part", range(4))
def test_random_weights(part):
    for seed in range(part * 20, part * 20 + 20):
        rng = np.random.default_rng(seed)
        case = random_range(rng, SHAPES[rng.integers(len(SHAPES))], usable())
        check_on_gpu(case, offset=int(rng.integers(0, 4)), on_device=bool(rng.integers(2)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_small_size(dtype):
    if dtype not in usable():
        pytest.skip("CuPy has no bfloat16")
    for n in range(1, 71):
        values = residuals("few_values" if n % 2 else "random", n, dtype)
        check_on_gpu(Case(values, "between", (0.2, 0.85)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("border", [128, 1024, 4096, 16_384, 28_000, 57_000, 1 << 20])
def test_around_the_boundaries(dtype, border):
    for n in (border - 1, border, border + 1):
        values = residuals("tied_at_the_top", n, dtype)
        check_on_gpu(Case(values, "largest", (n / 7, 0.0)), offset=1)


@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_family(family, dtype):
    if dtype == "float64" and family in EXTREME_FAMILIES:
        pytest.skip("sums of float64's largest numbers are infinite")
    for n in (500, LARGE):
        for bounds in ((0.0, 0.3), (0.3, 0.9), (0.99, 1.0)):
            check_on_gpu(Case(residuals(family, n, dtype), "between", bounds))


@pytest.mark.parametrize(("kind", "bounds"), RANGES)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((30, 410, 25), axis) for axis in (None, 0, 1, 2)] + [((3, 20_001, 2), 1), ((3, 20_001), 1)],
)
def test_kinds_axes_and_masks(shape, axis, kind, bounds):
    values = residuals("few_values", int(np.prod(shape)), "float32").reshape(shape)
    mask = np.random.default_rng(0).random(shape) < 0.6
    mask[1] = False
    for own in (None, mask):
        check_on_gpu(Case(values, kind, bounds, axis, own), on_device=True)


@pytest.mark.parametrize("n", [1000, LARGE])
def test_the_same_bits_every_time(n):
    values = arrays.to_device(residuals("random", n, "float32"))
    results = set()
    for kind, bounds in RANGES:
        results.clear()
        for _ in range(20):
            mean, state = cuda.range_mean_forward(values, bounds, kind)
            gradient = cuda.range_mean_backward(mean, values, state)
            results.add(tuple(arrays.to_host(a).tobytes() for a in (mean, state, gradient)))
        assert len(results) == 1


@pytest.mark.parametrize("n", [1000, LARGE])
def test_graph_capture_and_replay(n):
    """With other values and other bounds, which are the device's."""
    data = residuals("random", n, "float32"), residuals("heavy_tail", n, "float32")
    ranges = (0.1, 0.9), (0.97, 1.0)
    values, bounds = arrays.to_device(data[0]), arrays.to_device(np.array(ranges[0]))
    upstream = arrays.ones(())

    def step():
        mean, state = cuda.range_mean_forward(values, bounds, "between")
        return mean, cuda.range_mean_backward(upstream, values, state)

    replay, (mean, gradient) = arrays.captured(step)
    for of_data, of_bounds in ((1, 1), (0, 1), (1, 0)):
        arrays.copy_into(values, data[of_data])
        arrays.copy_into(bounds, np.array(ranges[of_bounds]))
        replay()
        check_range_mean(
            Case(data[of_data], "between", ranges[of_bounds]),
            lambda: (arrays.to_host(mean), None),
            lambda *_: arrays.to_host(gradient) * np.random.default_rng(0).uniform(0.5, 2),
        )


def test_as_on_the_cpu():
    values = residuals("random", LARGE, "float32")
    on_device = arrays.to_device(values)
    for kind, bounds in RANGES:
        mean, state = kernels.range_mean_forward(values, bounds, kind)
        found = cuda.range_mean_forward(on_device, bounds, kind)
        np.testing.assert_allclose(arrays.to_host(found.mean), mean, rtol=3e-7, atol=1e-7)
        np.testing.assert_array_equal(arrays.to_host(found.state)[:, 2:], state[:, 2:])


def test_errors():
    values = arrays.to_device(np.ones((2, 3), np.float32))
    for bounds, kind, axis, message in (
        ((0.5, 0.5), "between", None, r"lower=0\.5, upper=0\.5: must be"),
        ((-1, 0), "largest", None, r"k=-1: must be above 0"),
        ((4, 0), "largest", 1, r"k=4: must be at most the number of valid values"),
        ((0.5, 0), "at_least", None, r"min_kept=0"),
        ((0.5, 1), "most", None, "kind='most'"),
        ((0.5, 1), "between", 2, r"axis=2: must be in \[-2, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            cuda.range_mean(values, bounds, kind, axis)
    _, state = cuda.range_mean_forward(values, (0.5, 1), "between")
    with pytest.raises(ValueError, match="upstream is"):
        cuda.range_mean_backward(values, values, state)
    with pytest.raises(ValueError, match="mask is"):
        cuda.range_mean(values, (0.5, 1), "between", mask=values)


@pytest.mark.slow
def test_more_than_two_to_the_32_elements():
    torch = pytest.importorskip("torch")
    n = 2**32 + 1000
    if torch.cuda.mem_get_info()[0] < 5 * n:
        pytest.skip("needs 22 GB of free device memory")
    values = torch.ones(n, device="cuda", dtype=torch.float16)
    values[-10:] = 3.0
    assert cuda.range_mean(values, (20, 0), "largest").item() == 2.0
    assert cuda.range_mean(values, (0.0, 0.5), "between").item() == 1.0
    mean, state = cuda.range_mean_forward(values, (2.0, 1), "at_least")
    assert mean.item() == 3.0
    np.testing.assert_array_equal(arrays.to_host(state)[0, 2:], [0.1, 0.1, 0.1])
