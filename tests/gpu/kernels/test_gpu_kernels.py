"""The CUDA kernels on a GPU: what the emulation checks, and what only hardware can show."""

import subprocess
import sys
import textwrap
import threading

import arrays
import numpy as np
import pytest
from problems import (
    EVERY_FAMILY,
    EXACT_STATE,
    RULES,
    Problem,
    assert_close,
    check,
    check_against_cpu,
    extreme,
    random_problem,
    truth,
    with_missing,
)
from problems import with_residuals as problem_data

from tailops import _kernels, cuda, kernels
from tailops._options import TailOptions, forced

pytestmark = pytest.mark.skipif(not arrays.library(), reason="needs PyTorch, or CuPy")


def on_gpu(problem, offsets=(0, 0), over=None):
    """Functions for `check`."""
    y_true = arrays.to_device(problem.y_true, offsets[0])
    y_pred = arrays.to_device(problem.y_pred, offsets[1])
    mask = None if problem.mask is None else arrays.to_device(problem.mask)
    how = {"reduction": problem.reduction, "mask": mask}
    states = []

    def forward():
        arrays.dirty_the_memory()
        options = forced(problem.options, problem.selection)
        loss, state = cuda.forward(y_true, y_pred, options, **how)
        states.append(state)
        return arrays.to_host(loss), arrays.to_host(state).view(kernels.STATE).reshape(-1)

    def backward(upstream, _):
        out = None if over is None else (y_true, y_pred)[over]
        arriving = arrays.to_device(upstream).reshape(tuple(problem.geometry.output_shape))
        gradient = cuda.backward(
            arriving, y_true, y_pred, states[-1], problem.options, out=out, **how
        )
        return arrays.to_host(gradient)

    return forward, backward


@pytest.mark.parametrize("part", range(8))
def test_random_problems(part):
    for seed in range(part * 100, part * 100 + 100):
        rng = np.random.default_rng(seed)
        problem = random_problem(rng, most=30_000)
        if not arrays.takes(problem.y_pred.dtype.name):
            continue
        offsets = tuple(int(k) for k in rng.integers(0, 4, 2))
        over = [None, None, 0, 1][rng.integers(4)]
        check(problem, *on_gpu(problem, offsets, over), seed)


@pytest.mark.parametrize("selection", ["auto", "sampled"])
def test_every_small_size(selection):
    for n in range(1, 71):
        options = TailOptions(0.9, 3.0, 5.0, method="linear")
        problem = Problem(*problem_data("random", (n,), np.float32), options, selection=selection)
        check(problem, *on_gpu(problem))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize(
    "border", [128, 1024, 2048, 4096, 16384, 28_000, 57_000, 65_536, 135_168, 1 << 20, 1 << 22]
)
def test_around_the_boundaries(dtype, border):
    for n in (border - 1, border, border + 1):
        for reduction in ("mean", "none"):
            data = problem_data("tied_at_the_top", (n,), dtype)
            problem = Problem(*data, TailOptions(0.97, 40.0, 5.0), reduction)
            check(problem, *on_gpu(problem, (1, 1)))


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_thresholds_are_those_of_the_cpu(family, selection):
    for dtype, n, method in (
        (np.float32, 250_000, "floor"),
        (np.float32, 500, "linear"),
        (np.float64, 250_000, "midpoint"),
        (np.float64, 300, "max_fraction"),
    ):
        d = extreme(family, n, dtype)
        for percentile in (0.3, 0.99):
            options = TailOptions(percentile=percentile, method=method)
            problem = Problem(np.zeros_like(d), d, options, selection=selection)
            _, state = on_gpu(problem)[0]()
            on_cpu = kernels.forward(problem.y_true, d, options, reduction="mean").state
            for name in EXACT_STATE:
                np.testing.assert_array_equal(state[name], on_cpu[name], err_msg=name)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((1 << 16, 64), 1),
        ((1 << 17, 10), 1),
        ((5000, 1000), 1),
        ((512, 1000), 0),
        ((5000, 300), 0),
        ((20_000, 10, 3), 1),
        ((64, 1 << 14), 1),
        ((3, 1 << 20), 1),
        ((1 << 18, 3), 0),
        ((40, 3000), 0),
        ((1, 1 << 20), None),
        ((5, 1 << 17, 2), 1),
    ],
)
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_groups(shape, axis, reduction):
    rng = np.random.default_rng(0)
    y_true = rng.uniform(size=shape).astype(np.float32)
    y_pred = (y_true + rng.standard_normal(shape)).astype(np.float32)
    options = TailOptions(0.9, 5.0, axis=axis)
    loss, state = kernels.forward(y_true, y_pred, options, reduction=reduction, threads=8)
    upstream = rng.uniform(0.5, 2, loss.shape).astype(np.float32)
    slope = kernels.backward(
        upstream, y_true, y_pred, state, options, reduction=reduction, threads=8
    )
    problem = Problem(y_true, y_pred, options, reduction)
    forward, backward = on_gpu(problem)
    gpu_loss, gpu_state = forward()
    np.testing.assert_array_equal(gpu_state["threshold"], state["threshold"])
    assert_close(gpu_loss, loss, np.float32, "loss")
    assert_close(backward(upstream, None), slope, np.float32, "gradient")


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((500,), None),
        ((300_000,), None),
        ((300, 7), None),
        ((300, 7), 0),
        ((3000, 100), 1),
        ((60_000, 3), None),
        ((60_000, 3), 0),
        ((2, 90_000), 1),
        ((5, 1 << 15, 2), 1),
    ],
)
def test_ignored_elements(shape, axis, rule, reduction):
    kept = np.random.default_rng(shape).random(shape) < 0.6
    if len(shape) > 1:
        kept[0] = False  # whole samples too
    for gradient in ("exact", "fixed_weight"):
        options = TailOptions(0.8, 7.0, 3.0, 0.3, axis=axis, method="linear", gradient=gradient)
        for over in (None, 0, 1):
            problem = with_missing(shape, rule, options, reduction, kept)
            check_against_cpu(problem, *on_gpu(problem, (1, 1), over))
    problem = with_missing(shape, rule, options, reduction, kept, np.float16)
    check(problem, *on_gpu(problem))


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
@pytest.mark.parametrize("shape", [(500, 2), (200_000, 2)])
def test_all_ignored(shape, reduction):
    for rule in RULES:
        options = TailOptions(0.9, axis=0)
        problem = with_missing(shape, rule, options, reduction, np.zeros(shape, bool))
        check_against_cpu(problem, *on_gpu(problem))


@pytest.mark.parametrize("n", [1000, 300_000])
def test_the_same_bits_every_time(n):
    problem = Problem(*problem_data("random", (n,), np.float32), TailOptions(0.95, 20.0, 3.0, 0.3))
    results = set()
    for _ in range(20):
        forward, backward = on_gpu(problem)
        loss, state = forward()
        gradient = backward(np.ones((), np.float32), state)
        results.add((loss.tobytes(), state.tobytes(), gradient.tobytes()))
    assert len(results) == 1


def test_concurrent_calls():
    """Threads, each on a stream of its own."""
    problems = [
        Problem(*problem_data("random", (n,), np.float32), TailOptions(0.95, 20.0))
        for n in (999, 20_000, 300_000, 1_000_000)
    ]
    failures = []

    def work(problem):
        try:
            with arrays.stream_of_its_own():
                for seed in range(10):
                    check(problem, *on_gpu(problem), seed)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(problem,)) for problem in problems]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]


@pytest.mark.parametrize("n", [1000, 300_000])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_graph_capture_and_replay(n, reduction):
    options = TailOptions(0.95, 20.0)
    first = problem_data("random", (n,), np.float32)
    second = problem_data("heavy_tail", (n,), np.float32)
    y_true, y_pred = (arrays.to_device(array) for array in first)
    geometry = Problem(*first, options, reduction).geometry
    upstream = arrays.ones(tuple(geometry.output_shape))

    def step():
        loss, state = cuda.forward(y_true, y_pred, options, reduction=reduction)
        gradient = cuda.backward(upstream, y_true, y_pred, state, options, reduction=reduction)
        return loss, gradient

    replay, (loss, gradient) = arrays.captured(step)
    for data in (second, first, second):
        arrays.copy_into(y_true, data[0])
        arrays.copy_into(y_pred, data[1])
        replay()
        problem = Problem(*data, options, reduction)
        expected = truth(problem, np.ones(tuple(geometry.output_shape), np.float32))
        assert_close(arrays.to_host(loss), expected.loss, np.float32, "loss")
        assert_close(arrays.to_host(gradient), expected.gradient, np.float32, "gradient")


FIRST_CALL_CAPTURED = """
    import torch
    from tailops import cuda

    d = torch.linspace(0, 1, {n}, device="cuda")
    zeros, upstream = torch.zeros_like(d), torch.ones((), device="cuda")
    graph = torch.cuda.CUDAGraph()
    cuda.prepare()
    with torch.cuda.graph(graph):
        loss, state = cuda.forward(zeros, d, reduction="mean")
        gradient = cuda.backward(upstream, zeros, d, state, reduction="mean")
    graph.replay()
    assert float(loss) > 0 and float(gradient.sum()) > 0
"""


@pytest.mark.parametrize("n", [1000, 300_000])
def test_a_first_call_that_is_captured(n):
    pytest.importorskip("torch")
    program = textwrap.dedent(FIRST_CALL_CAPTURED.format(n=n))
    subprocess.run([sys.executable, "-c", program], check=True)


def test_preparing_twice():
    cuda.prepare()
    cuda.prepare()


def test_memory_beyond_inputs_and_gradient():
    torch = pytest.importorskip("torch")
    n = 1 << 26
    y_true = torch.zeros(n, device="cuda")
    y_pred = torch.randn(n, device="cuda")
    gradient = torch.empty_like(y_pred)
    upstream = torch.ones((), device="cuda")
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    options = TailOptions()
    loss, state = cuda.forward(y_true, y_pred, options, reduction="mean")
    cuda.backward(upstream, y_true, y_pred, state, options, reduction="mean", out=gradient)
    torch.cuda.synchronize()
    assert float(loss) > 0
    assert torch.cuda.max_memory_allocated() - before < 0.01 * 8 * n + 2**20


def test_sums_are_accurate_at_a_hundred_million():
    torch = pytest.importorskip("torch")
    n = 10**8
    y_pred = torch.randn(n, device="cuda")
    y_true = torch.zeros_like(y_pred)
    options = TailOptions(0.99, 20.0)
    loss, state = cuda.forward(y_true, y_pred, options, reduction="mean")
    e = y_pred.abs()
    rank = min(int(n * 0.99), n - 1)
    t = torch.sort(e).values[rank]
    assert float(t) == float(state[0, 0])
    e = e.double()
    expected = (e * (1 + 10 * torch.sigmoid(40.0 * (e - t)))).mean()
    assert abs(float(loss) / float(expected) - 1) < 2e-6


@pytest.mark.slow
def test_more_than_two_to_the_31_elements():
    torch = pytest.importorskip("torch")
    n = 2**31 + 1000
    if torch.cuda.mem_get_info()[0] < 16 * n:
        pytest.skip("needs 35 GB of free device memory")
    y_pred = torch.ones(n, device="cuda", dtype=torch.float16)
    y_pred[-10:] = 3.0
    y_true = torch.zeros_like(y_pred)
    options = TailOptions(method="max_fraction", percentile=1.0)
    loss, state = cuda.forward(y_true, y_pred, options, reduction="mean")
    assert state[0, 0] == 3.0
    assert state[0, 3] == 0.1
    assert float(loss) == 1.0
    upstream = torch.ones((), device="cuda", dtype=torch.float16)
    gradient = cuda.backward(upstream, y_true, y_pred, state, options, reduction="mean")
    assert gradient.shape == y_pred.shape
