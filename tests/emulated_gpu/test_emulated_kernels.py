"""The CUDA kernels, the very same source, run on the host against oracle and CPU kernels."""

import subprocess

import emulation
import numpy as np
import pytest
from emulation import LIMITS_OF_A_LARGE_GPU, Limits, random_limits
from problems import (
    EVERY_FAMILY,
    EXACT_STATE,
    Problem,
    assert_close,
    check,
    extreme,
    random_problem,
    truth,
    with_residuals,
)
from quick import quick

from tailops import _kernels, kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


def check_emulated(emulated, problem, seed=0, offsets=(0, 0, 0), over=None):
    emulated.seed = seed
    check(problem, *emulated.passes(problem, offsets, over), seed)


@pytest.mark.parametrize("part", range(8))
def test_random_problems(emulated, part):
    """Every option, shape and way to ignore, at random; unaligned, and over an input."""
    for seed in range(part * 50, part * 50 + 50):
        rng = np.random.default_rng(seed)
        emulated.limits = random_limits(rng)
        check_emulated(
            emulated,
            random_problem(rng),
            seed,
            offsets=tuple(int(k) for k in rng.integers(0, 4, 3)),
            over=[None, None, 0, 1][rng.integers(4)],
        )


@pytest.mark.parametrize("selection", ["auto", "sampled"])
def test_every_small_size(emulated, selection):
    options = TailOptions(0.9, 3.0, 5.0, method="linear")
    for n in range(1, 71):
        problem = Problem(*with_residuals("random", (n,), np.float32), options, "mean")
        problem.selection = selection
        check_emulated(emulated, problem, seed=n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_around_the_boundaries(emulated, dtype):
    """A vector, a warp's and a block's share of them, a group of a block, the shared memory."""
    lanes = 16 // np.dtype(dtype).itemsize
    limits = Limits()
    borders = {
        lanes, 2 * lanes, 32 * lanes, 64 * lanes, 6 * 32 * lanes, limits.block_elements,
        limits.block_elements * 3,
    }  # fmt: skip
    for n in sorted({border + k for border in borders for k in (-1, 0, 1)}):
        for reduction in ("mean", "none"):
            y_true, y_pred = with_residuals("tied_at_the_top", (n,), dtype)
            problem = Problem(y_true, y_pred, TailOptions(0.97, 40.0, 5.0), reduction)
            check_emulated(emulated, problem, seed=n)


@pytest.mark.parametrize("family", EVERY_FAMILY)
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_thresholds_are_those_of_the_cpu(emulated, family, selection):
    """Bit for bit, and so is all of the state that is exact."""
    for dtype, n, method in (
        (np.float32, 2500, "floor"),
        (np.float32, 500, "linear"),
        (np.float64, 2500, "midpoint"),
        (np.float64, 300, "max_fraction"),
    ):
        d = extreme(family, n, dtype)
        for percentile in (0.3, 0.99):
            options = TailOptions(percentile=percentile, method=method)
            problem = Problem(np.zeros_like(d), d, options, "mean", selection=selection)
            state = emulated.forward(problem).state
            on_cpu = kernels.forward(problem.y_true, d, options, reduction="mean").state
            for name in EXACT_STATE:
                np.testing.assert_array_equal(state[name], on_cpu[name], err_msg=name)


@pytest.mark.parametrize("family", ["random", "constant", "few_values", "sorted", "half_zeros"])
@pytest.mark.parametrize("kappa", [2.0, 400.0])
def test_a_large_group(emulated, family, kappa):
    """With a sample that is small against it: one pass where little is near, two otherwise."""
    emulated.limits = Limits(spare_bytes=2048, blocks_per_multiprocessor=3)
    for percentile, error in ((0.5, "absolute"), (0.98, "smooth_absolute")):
        problem = Problem(
            *with_residuals(family, (20_000,), np.float32),
            TailOptions(percentile, kappa, 3.0, 0.2, error, epsilon=0.3),
        )
        check_emulated(emulated, problem, offsets=(1, 1, 1))


def test_candidates_that_do_not_fit(emulated):
    """All that is near the threshold lies in one warp's share, for which there is no room."""
    emulated.limits = Limits(spare_bytes=256, least_sample=512)
    rng = np.random.default_rng(0)
    d = rng.uniform(0, 0.5, 20_000).astype(np.float32)
    d[:300] = rng.uniform(0.9, 1.0, 300)
    problem = Problem(np.zeros_like(d), d, TailOptions(0.99, 100.0))
    check_emulated(emulated, problem)


def sampled_positions(size, end):
    """SelectionPlan::stratified."""
    i = np.arange(size, dtype=np.uint64)
    z = (i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    uniform = ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.minimum(((i + uniform) * (end / size)).astype(np.int64), end - 1)


@pytest.mark.parametrize("spare_bytes", [512, 200_000])
@pytest.mark.parametrize("kappa", [3.0, 300.0])
@pytest.mark.parametrize("percentile", [0.2, 0.9])
@pytest.mark.parametrize("selection", _kernels.SELECTIONS)
def test_a_sample_that_misleads(emulated, spare_bytes, kappa, percentile, selection):
    """What is drawn is smaller than all the rest, or larger: the bracket misses on that side."""
    n, size = 5000, 64
    emulated.limits = Limits(spare_bytes=spare_bytes)
    drawn = sampled_positions(size, n)
    rng = np.random.default_rng(0)
    for sampled, others in (((0.0, 0.1), (1.0, 2.0)), ((3.0, 4.0), (1.0, 2.0))):
        d = rng.uniform(*others, n).astype(np.float32)
        d[drawn] = rng.uniform(*sampled, size)
        options = TailOptions(percentile, kappa, method="linear")
        problem = Problem(np.zeros_like(d), d, options, selection=selection)
        check_emulated(emulated, problem)


@pytest.mark.parametrize("most_listed", [0, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_order_statistics_far_from_each_other(emulated, most_listed, dtype):
    """The rank falls into a gap, whose sides are in different bins, or one in an end."""
    emulated.limits = Limits(most_listed=most_listed)
    rng = np.random.default_rng(0)
    for n in (2000, 2001, 2002):
        for below, above in (
            (rng.uniform(0, 1, n // 2), rng.uniform(100, 101, n - n // 2)),
            (np.full(n // 2, 0.25), rng.uniform(100, 101, n - n // 2)),
            (rng.uniform(0, 1, n // 2), np.full(n - n // 2, 3.0)),
        ):
            d = rng.permutation(np.concatenate([below, above])).astype(dtype)
            for method in ("linear", "midpoint", "lower", "higher"):
                problem = Problem(np.zeros_like(d), d, TailOptions(0.5, method=method))
                check_emulated(emulated, problem)


def test_neighbouring_numbers(emulated):
    """As many as there are bins, and fewer: collect finds them by itself."""
    rng = np.random.default_rng(0)
    for different in (2, 40, 3000):
        bits = np.float32(1.0).view(np.uint32) + rng.integers(0, different, 4000, dtype=np.uint32)
        d = bits.view(np.float32)
        for method in ("floor", "linear"):
            problem = Problem(np.zeros_like(d), d, TailOptions(0.8, method=method))
            check_emulated(emulated, problem)


def test_one_bad_column(emulated):
    """What is near the threshold lies at equal distances: it is spread over all warps."""
    emulated.limits = Limits(spare_bytes=2048, blocks_per_multiprocessor=2)
    rng = np.random.default_rng(0)
    d = rng.uniform(0, 0.5, (160, 128)).astype(np.float32)
    d[:, :4] += 10.0
    problem = Problem(np.zeros_like(d), d, TailOptions(0.98, 300.0))
    check_emulated(emulated, problem)


@pytest.mark.parametrize("inner", quick(3, 33, 130, of=[2, 3, 31, 32, 33, 63, 64, 65, 130]))
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_columns(emulated, inner, reduction):
    """Of several matrices in a block, of a block's width, of several blocks side by side."""
    for outer, length in ((1, 1), (40, 3), (3, 20), (1, 400), (2, 130)):
        for multiprocessors in (1, 100):
            emulated.limits = Limits(multiprocessors=multiprocessors, shared_bytes=64 << 10)
            y_true, y_pred = with_residuals("few_values", (outer, length, inner), np.float32)
            mask = np.random.default_rng(0).random(y_pred.shape) < 0.8
            options = TailOptions(0.8, 3.0, 5.0, 0.3, method="linear", axis=1)
            valid = mask if multiprocessors == 1 else None
            problem = Problem(y_true, y_pred, options, reduction, valid)
            check_emulated(emulated, problem, over=[None, 1][outer % 2])


@pytest.mark.parametrize("gradient", _kernels.GRADIENTS)
@pytest.mark.parametrize("shape", [(50, 3), (900, 3)])
@pytest.mark.parametrize("axis", [None, 0])
def test_a_nan_is_its_whole_groups(emulated, gradient, shape, axis):
    for reduction in _kernels.REDUCTIONS:
        y_true, y_pred = with_residuals("random", shape, np.float32)
        y_pred[17, 1] = np.nan
        options = TailOptions(0.9, 5.0, axis=axis, gradient=gradient)
        check_emulated(emulated, Problem(y_true, y_pred, options, reduction))


@pytest.mark.parametrize("selection", ["auto", "sampled"])
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_nothing_left(emulated, selection, reduction):
    y_true, y_pred = with_residuals("random", (40, 2), np.float32)
    y_pred[::2] = np.inf
    y_pred[1::2] = np.nan
    for mask in (np.zeros((40, 2), bool), np.arange(80).reshape(40, 2) % 2 == 0):
        for axis in (None, 0):
            options = TailOptions(0.9, axis=axis)
            y_pred[mask] = 1.0
            problem = Problem(y_true, y_pred, options, reduction, mask, selection=selection)
            check_emulated(emulated, problem)


def test_an_infinite_error_has_a_finite_gradient(emulated):
    d = np.array([0.1, 0.2, 0.3, np.inf, -np.inf], np.float32)
    problem = Problem(np.zeros_like(d), d, TailOptions(percentile=0.5), "none")
    for selection in ("auto", "sampled"):
        problem.selection = selection
        result = emulated.forward(problem)
        slope = emulated.backward(problem, np.ones(5), result.state).gradient
        assert result.loss[3] == result.loss[4] == np.inf
        assert (slope[3], slope[4]) == (11.0, -11.0)


def test_a_long_row(emulated):
    """A row of several parts, and rows that cross groups."""
    for shape, axis, reduction in (
        ((1, 2700), None, "per_sample"),
        ((2, 1300), None, "per_sample"),
        ((3, 1001), 0, "per_sample"),
        ((700, 40), 0, "per_sample"),
    ):
        y_true, y_pred = with_residuals("random", shape, np.float32)
        emulated.limits = Limits(block_elements=64)
        problem = Problem(y_true, y_pred, TailOptions(0.9, 5.0, axis=axis), reduction)
        upstream = np.ones(problem.geometry.output_shape, np.float32)
        result = emulated.forward(problem)
        assert_close(result.loss, truth(problem, upstream).loss, np.float32, str(shape))


@pytest.mark.parametrize("selection", ["auto", "sampled"])
def test_the_order_of_threads_does_not_matter(emulated, selection):
    """The same bits, whichever block or thread comes first."""
    y_true, y_pred = with_residuals("random", (3000,), np.float32)
    problem = Problem(y_true, y_pred, TailOptions(0.95, 20.0, 3.0, 0.3), selection=selection)
    emulated.limits = Limits(block_elements=4000)
    results = []
    for emulated.seed in range(6):
        result = emulated.forward(problem)
        upstream = np.float32(1.0)
        gradient = emulated.backward(problem, upstream, result.state).gradient
        results.append((result.loss.tobytes(), result.state.tobytes(), gradient.tobytes()))
    assert len(set(results)) == 1


@pytest.mark.parametrize(
    ("shape", "axis", "dtype", "family"),
    [
        ((10_000,), None, np.float32, "random"),
        ((300_000,), None, np.float32, "random"),
        ((200_000,), None, np.float64, "few_values"),
        ((100_000,), None, np.float16, "random"),
        ((1_200_000,), None, np.float32, "heavy_tail"),
        ((2000, 300), 1, np.float32, "random"),
        ((5000, 10), 1, np.float32, "random"),
        ((300, 500), 0, np.float32, "few_values"),
        ((30_000, 3), 0, np.float32, "random"),
        ((5, 40_000), 1, np.float32, "random"),
    ],
)
def test_as_on_a_large_gpu(emulated, shape, axis, dtype, family):
    """Blocks, shared memory, samples and lists of the size that they have there."""
    emulated.limits = LIMITS_OF_A_LARGE_GPU
    for percentile, kappa, reduction in ((0.99, 100.0, "mean"), (0.5, 2.0, "none")):
        options = TailOptions(percentile, kappa, axis=axis, method="linear")
        problem = Problem(*with_residuals(family, shape, dtype), options, reduction)
        check_emulated(emulated, problem)


@pytest.mark.parametrize("selection", ["miss", "radix"])
def test_a_miss_on_a_large_gpu(emulated, selection):
    emulated.limits = LIMITS_OF_A_LARGE_GPU
    for family in ("random", "few_values", "constant"):
        y_true, y_pred = with_residuals(family, (100_000,), np.float32)
        problem = Problem(y_true, y_pred, TailOptions(0.99, 100.0), selection=selection)
        check_emulated(emulated, problem)


def test_launches_do_not_depend_on_the_data(emulated):
    """One each way where a block does a group; otherwise as many as the shape says."""
    for n, reduction, forward, backward in (
        (500, "mean", 1, 1),
        (500, "none", 1, 1),
        (1500, "mean", 4, 1),
        (1500, "none", 4, 2),
        (30_000, "mean", 5, 1),
    ):
        for family in ("random", "constant", "sorted"):
            problem = Problem(*with_residuals(family, (n,), np.float32), TailOptions(), reduction)
            result = emulated.forward(problem)
            assert result.launches == forward
            upstream = np.ones(problem.geometry.output_shape, np.float32)
            launches = emulated.backward(problem, upstream, result.state).launches
            assert launches == backward
    problem = Problem(*with_residuals("random", (40, 50), np.float32), TailOptions(axis=1), "none")
    assert emulated.forward(problem).launches == 1


def test_the_workspace_is_small(emulated):
    """Under one percent of the inputs and a mebibyte, with the limits of a large GPU."""
    emulated.limits = LIMITS_OF_A_LARGE_GPU
    for shape, axis in (
        ((1 << 20,), None),
        ((1 << 26,), None),
        ((20_000, 20), 0),
        ((200, 17_000), 1),
        ((16, 200_000), 1),
    ):
        for dtype in (np.float32, np.float64, np.float16):
            y_pred = np.broadcast_to(dtype(0), shape)
            for reduction in ("mean", "none", "per_sample"):
                problem = Problem(y_pred, y_pred, TailOptions(axis=axis), reduction)
                size = emulated.space(problem)
                what = (shape, reduction, dtype)
                assert 0 <= size < 0.01 * 2 * y_pred.size * y_pred.itemsize + 2**20, what


def test_the_emulation_finds_faults(tmp_path):
    program = tmp_path / "faults"
    flags = ["-std=c++17", "-O1", "-DTAILOPS_EMULATED", "-I", emulation.SOURCES]
    sources = ["-I", emulation.HERE / "emulation", emulation.HERE / "emulation/faults.cc"]
    subprocess.run([emulation.COMPILER, *flags, *sources, "-o", program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    outcomes = {}
    for line in printed.splitlines():
        name, outcome = line.split(": ")
        outcomes.setdefault(name, set()).add(outcome)
    for name in [name for name in outcomes if name.startswith("no fault")]:
        assert outcomes.pop(name) == {"right"}, name
    assert outcomes.pop("different exchanges") == {"lanes of a warp exchange different things"}
    for name, outcome in (
        ("a barrier of others", "a lane exchanges values of others"),
        ("a value of others", "a value of a lane that does not take part"),
        ("first with some, then with all", "a lane exchanges with some and with others"),
    ):
        assert outcomes.pop(name) == {outcome}
    for name in ("a barrier for some", "a barrier for some lanes", "an exchange between some"):
        assert all("wait" in outcome or "finished" in outcome for outcome in outcomes.pop(name))
    for name, of in outcomes.items():
        assert "wrong" in of, name
