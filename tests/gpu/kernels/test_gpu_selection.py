"""The CUDA kernels of selection on a GPU: the bits of the CPU kernels."""

import arrays
import numpy as np
import pytest
from families import EXTREME_FAMILIES, FAMILIES, residuals
from selections import FLOATS, QS, QUANTILES, Case, check, integers, random_case
from weighted import has_weight, random_selection

from tailops import cuda, kernels

pytestmark = pytest.mark.skipif(not arrays.library(), reason="neither PyTorch nor CuPy")

# Those that both libraries have.
INTEGERS = ("int8", "int16", "int32", "int64", "uint8")
LARGE = (1 << 18) + 37
SHAPES = [(50,), (5000,), (100_000,), (300, 70), (70, 300), (3, 40_000), (40_000, 3), (5, 90, 7)]


def check_on_gpu(case, *, offset=0, in_place=False):
    x = arrays.to_device(case.x, offset)
    weights = None if case.weights is None else arrays.to_device(case.weights, offset)

    def forward():
        arrays.dirty_the_memory()
        value, state = cuda.select_forward(x, case.q, **case.how, weights=weights)
        return arrays.to_host(value), arrays.to_host(state)

    def backward(upstream, state):
        gradient = cuda.select_backward(
            arrays.to_device(upstream),
            x,
            arrays.to_device(state),
            axis=case.axis,
            out=x if in_place else None,
        )
        return arrays.to_host(gradient)

    check(case, forward, backward if case.x.dtype.name in FLOATS else None)


def usable(dtypes):
    return [d for d in dtypes if arrays.takes(d)]


@pytest.mark.parametrize("part", range(8))
def test_random_cases(part):
    for seed in range(part * 60, part * 60 + 60):
        rng = np.random.default_rng(seed)
        case = random_case(rng, SHAPES[rng.integers(len(SHAPES))], usable((*FLOATS, *INTEGERS)))
        check_on_gpu(case, offset=int(rng.integers(0, 4)), in_place=bool(rng.integers(2)))


@pytest.mark.parametrize("part", range(4))
def test_random_weights(part):
    for seed in range(part * 40, part * 40 + 40):
        rng = np.random.default_rng(seed)
        shape = SHAPES[rng.integers(len(SHAPES))]
        case = random_selection(rng, shape, usable((*FLOATS, *INTEGERS)))
        if has_weight(case):
            check_on_gpu(case, offset=int(rng.integers(0, 4)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_small_size(dtype):
    if dtype not in usable(FLOATS):
        pytest.skip("CuPy has no bfloat16")
    for n in range(1, 71):
        check_on_gpu(Case(residuals("few_values" if n % 2 else "random", n, dtype)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("border", [128, 1024, 4096, 16_384, 28_000, 57_000, 1 << 20])
def test_around_the_boundaries(dtype, border):
    for n in (border - 1, border, border + 1):
        check_on_gpu(Case(residuals("tied_at_the_top", n, dtype)), offset=1)


@pytest.mark.parametrize("family", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_family(family, dtype):
    for n in (500, LARGE):
        check_on_gpu(Case(residuals(family, n, dtype), (0.01, 0.5, 0.99)))


@pytest.mark.parametrize("method", QUANTILES)
@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_methods_and_axes(method, axis):
    for shape in ((6, 410, 5), (2, 20_001, 3)):
        x = residuals("random", int(np.prod(shape)), "float32").reshape(shape)
        x[1, 3] = np.nan
        for ignore_nan in (False, True):
            check_on_gpu(Case(x, (0.3, 0.5, 0.97), method, axis, ignore_nan))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers(dtype):
    rng = np.random.default_rng(0)
    for shape in ((700,), (LARGE,), (500, 60)):
        x = integers(rng, shape, dtype)
        ranks = tuple(float(k) for k in (0, shape[-1] // 3, shape[-1] - 1))
        for method in ("rank", "rank_from_top"):
            check_on_gpu(Case(x, ranks, method, -1), offset=1)


@pytest.mark.parametrize("count", [1, 2, 16, 17, 33, 101, 300])
@pytest.mark.parametrize("n", [3000, LARGE])
def test_many_quantiles(n, count):
    q = tuple(np.random.default_rng(count).random(count))
    for dtype in ("float32", "float64"):
        check_on_gpu(Case(residuals("random", n, dtype), q))


@pytest.mark.parametrize("n", [1000, LARGE])
def test_the_same_bits_every_time(n):
    x = arrays.to_device(residuals("random", n, "float32"))
    results = set()
    for _ in range(20):
        value, state = cuda.select_forward(x, QS)
        gradient = cuda.select_backward(value, x, state)
        results.add(tuple(arrays.to_host(a).tobytes() for a in (value, state, gradient)))
    assert len(results) == 1


@pytest.mark.parametrize("n", [1000, LARGE])
def test_graph_capture_and_replay(n):
    first, second = (residuals(name, n, "float32") for name in ("random", "heavy_tail"))
    x = arrays.to_device(first)
    upstream = arrays.ones((len(QS),))

    def step():
        value, state = cuda.select_forward(x, QS)
        return value, cuda.select_backward(upstream, x, state)

    replay, (value, gradient) = arrays.captured(step)
    for data in (second, first, second):
        arrays.copy_into(x, data)
        replay()
        expected, state = kernels.select_forward(data, QS)
        np.testing.assert_array_equal(arrays.to_host(value), expected)
        slope = kernels.select_backward(np.ones(len(QS)), data, state)
        np.testing.assert_array_equal(arrays.to_host(gradient), slope)


def test_errors():
    x = arrays.to_device(np.ones((2, 3), np.float32))
    for q, how, message in (
        ([1.5], {}, r"q=1\.5: must be in \[0, 1\]"),
        ([3], {"method": "rank", "axis": 1}, r"n=3: must be in \[0, 3\), the size of the axis"),
        ([0.5], {"axis": 2}, r"axis=2: must be in \[-2, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            cuda.select_forward(x, q, **how)
    _, state = cuda.select_forward(x, [0.5])
    with pytest.raises(ValueError, match="upstream is"):
        cuda.select_backward(x, x, state)


@pytest.mark.slow
def test_more_than_two_to_the_32_elements():
    torch = pytest.importorskip("torch")
    n = 2**32 + 1000
    if torch.cuda.mem_get_info()[0] < 5 * n:
        pytest.skip("needs 22 GB of free device memory")
    x = torch.ones(n, device="cuda", dtype=torch.float16)
    x[-10:] = 3.0
    value, state = cuda.select_forward(x, [0.5, 1.0], method="lower")
    assert value.tolist() == [1.0, 3.0]
    np.testing.assert_array_equal(arrays.to_host(state), [[1, 1, 1 / (n - 10), 0, 3, 3, 0.1, 0]])
