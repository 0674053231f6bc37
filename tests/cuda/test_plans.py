"""What is launched for a call, and how much memory it takes: compiled for the host, no GPU."""

import math
import subprocess

import numpy as np
import pytest
from emulation import COMPILER, SOURCES
from paths import LOSS_PATHS
from planned import Call, compile_plans, plans_of

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return compile_plans(tmp_path_factory.mktemp("plans"))


@pytest.fixture
def forward(program):
    return lambda *calls: plans_of(program, "forward", calls)


@pytest.fixture
def backward(program):
    return lambda *calls: plans_of(program, "backward", calls)


# A call, and for forward and backward the way that its groups go, and the number of launches: the
# rows of docs/gpu.md's table.
WAYS = {
    "columns": (Call((1000, 4096), axis=0), "columns 2", "columns 1"),
    "columns, each": (Call((1000, 4096), 0, "none"), "columns 2", "columns 2"),
    "columns, each, held": (
        Call((1000, 4096), 0, "none", gradient="fixed_threshold"), "columns 2", "columns 1",
    ),
    "columns, rows": (Call((1000, 4096), 0, "per_sample"), "columns 2", "columns 2"),
    "columns of float64": (Call((3000, 4096), 0, dtype="float64"), "columns 2", "columns 1"),
    "columns that do not fit": (Call((7000, 4096), 0), "blocks 2", "columns 1"),
    "columns on a smaller GPU": (
        Call((3000, 4096), 0, shared_bytes=99 << 10), "blocks 2", "columns 1",
    ),
    "short columns": (Call((40, 4096), axis=0), "lanes 2", "columns 1"),
    "few large columns": (Call((100_000, 3), axis=0), "grid 5", "columns 1"),
    "lanes": (Call((300_000, 10), axis=1), "lanes 2", "lanes 1"),
    "lanes, each": (Call((300_000, 10), 1, "none"), "lanes 1", "lanes 1"),
    "lanes of 64": (Call((2000, 64), axis=1), "lanes 2", "lanes 1"),
    "warps": (Call((10_000, 300), axis=1), "warps 2", "warps 1"),
    "warps, each": (Call((10_000, 300), 1, "none"), "warps 1", "warps 1"),
    "no more than a warp's": (Call((1056, 1024), axis=1), "warps 2", "warps 1"),
    "too few for warps": (Call((1055, 1024), axis=1), "blocks 2", "blocks 1"),
    "too long for warps": (Call((1056, 1025), axis=1), "blocks 2", "blocks 1"),
    "a short one": (Call((128,)), "warps 1", "grid 1"),
    "a short one, each": (Call((128,), reduction="none"), "warps 1", "warps 1"),
    "a block's": (Call((129,)), "blocks 1", "grid 1"),
    "a block's, each": (Call((16_384,), reduction="none"), "blocks 1", "blocks 1"),
    "some blocks'": (Call((100, 16_384), axis=1), "blocks 2", "grid 1"),
    "two per multiprocessor": (Call((264, 50_000), axis=1), "blocks 2", "blocks 1"),
    "fewer": (Call((263, 50_000), axis=1), "grid 69", "grid 1"),
    "a large group": (Call((1_000_000,)), "grid 4", "grid 1"),
    "a larger": (Call((16_000_000,)), "grid 5", "grid 1"),
    "a large group, each": (Call((16_000_000,), reduction="none"), "grid 5", "grid 2"),
    "a large group, each, held": (
        Call((16_000_000,), None, "none", gradient="fixed_weight"), "grid 5", "grid 1",
    ),
    "large groups": (Call((16, 100_000), axis=1), "grid 5", "grid 1"),
    "more than are in flight": (Call((17, 100_000), axis=1), "grid 9", "grid 1"),
    "rows of a large group": (Call((1_000_000, 8), None, "per_sample"), "grid 5", "grid 2"),
    "rows across columns": (Call((50, 90, 70), 1, "per_sample"), "columns 2", "columns 2"),
    "long rows": (Call((4, 100_000), reduction="per_sample"), "grid 5", "grid 2"),
    "forced": (Call((300,), selection="sampled"), "grid 4", "grid 1"),
    "ignored": (Call((10_000, 300), 1, ignores=True), "warps 2", "warps 2"),
    "ignored, rows": (Call((10_000, 300), 1, "per_sample", ignores=True), "warps 1", "warps 2"),
    "ignored, long rows": (
        Call((4, 100_000), None, "per_sample", ignores=True), "grid 5", "grid 4",
    ),
    "ignored, samples": (Call((10_000, 300), 1, "sum", ignores=True), "warps 2", "warps 2"),
    "ignored, many samples": (Call((50_000, 20), 1, "sum", ignores=True), "lanes 3", "lanes 2"),
    "ignored, samples of one": (Call((10_000, 1), 0, "sum", ignores=True), "blocks 1", "grid 1"),
}  # fmt: skip


def in_words(plan):
    return f"{plan.way} {plan.launches}"


@pytest.mark.parametrize("name", WAYS)
def test_the_way_of_a_call_and_its_launches(forward, backward, name):
    call, *expected = WAYS[name]
    assert [in_words(forward(call)[0]), in_words(backward(call)[0])] == expected


def test_the_paths_of_the_virtual_gpu_are_what_they_say(forward, backward):
    """Each names kernels that only its way takes: so do the plans."""
    for path in LOSS_PATHS:
        calls = [
            Call(
                path.shape, path.axis, path.reduction, dtype.replace("bfloat16", "float16"),
                path.percentile, selection=path.selection, ignores=bool(path.ignored),
                multiprocessors=4, shared_bytes=163 << 10,
            )
            for dtype in path.dtypes
        ]  # fmt: skip
        for call, there, back in zip(calls, forward(*calls), backward(*calls), strict=True):
            assert path.kernels <= there.kernels | back.kernels, (path.name, call)


def test_a_plan_is_a_value(forward):
    """Equal to one that is made again, and to no other."""
    call, larger = Call((1_000_000,)), Call((2_000_000,))
    plans = forward(call, call, larger, call)
    assert [plan.equals_the_one_before for plan in plans] == [False, True, False, False]
    assert plans[0].text == plans[1].text == plans[3].text != plans[2].text


def test_all_of_a_plan(forward, backward):
    """Launches as blocks x rows x threads + bytes of shared memory; arrays as bytes @ offset."""
    ours = Call((10_000, 300), axis=1, dtype="float16", ignores=True)
    assert forward(ours)[0].text == (
        "way=warps launches=2 workspace=20224 to_scalar=1 "
        "GroupForward<WarpTeam><OneOutput>=2500x1x128+4992 width=32 teams=4 room=312 "
        "losses=2500 group_losses=20000@0 GroupTotals=1x1x512+0"
    )
    assert backward(ours)[0].text == (
        "way=warps launches=2 workspace=256 to_scalar=1 "
        "scalar_factor=8@0 ScalarFactor=1x1x512+0 "
        "GroupBackward<WarpTeam><OneOutput>=2500x1x128+0 width=32 teams=4"
    )


def test_nothing_of_a_plan_overlaps(forward, backward):
    """Every array begins where the one before has ended, at a multiple of 256 bytes."""
    for call, *_ in WAYS.values():
        for plan in (*forward(call), *backward(call)):
            arrays = [value.split("@") for value in plan.values() if "@" in value]
            end = 0
            for offset, size in sorted((int(offset), int(size)) for size, offset in arrays):
                assert offset == end
                end = -(-(offset + size) // 256) * 256
            assert plan.number("workspace") == end


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_plans_need_no_cuda(direction):
    """Their headers are the host's arithmetic."""
    text = f'#include "cuda/loss/{direction}_plan.h"\n'
    flags = ["-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}"]
    subprocess.run([COMPILER, *flags, "-x", "c++", "-"], input=text, text=True, check=True)


LENGTHS = [2**k for k in range(15, 31)]
DTYPES = {"float16": 2, "float32": 4, "float64": 8}


@pytest.fixture(scope="module")
def grids(program):
    """One large group's, by name, for all types and lengths."""
    calls = [Call((n,), dtype=dtype) for dtype in DTYPES for n in LENGTHS]
    plans = plans_of(program, "forward", calls)
    names = ("warps", "segment", "fitting", "sample")
    columns = {name: np.array([plan.number(name) for plan in plans]) for name in names}
    columns["length"] = np.array([call.shape[0] for call in calls])
    columns["element_bytes"] = np.array([DTYPES[call.dtype] for call in calls])
    return columns


def chance_of_more(mean, room):
    """That of elements in any order, `mean` on average, there are more than `room`: Poisson's."""
    counts = np.arange(room + 1, room + 400)
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in counts)


@pytest.fixture(scope="module")
def most_in_a_warp(grids):
    """The elements of the warp that has most."""
    lanes = 16 / grids["element_bytes"]
    vectors = np.ceil(grids["length"] / lanes / grids["warps"] / 32)
    return vectors * lanes * 32


def test_candidates_are_likely_to_fit_every_warp(grids, most_in_a_warp):
    """Where they do not, the inputs are read twice more."""
    means = grids["fitting"] * most_in_a_warp
    for mean, warps, segment in zip(means, grids["warps"], grids["segment"], strict=True):
        assert mean > 0
        assert warps * chance_of_more(mean, segment) < 0.4


def test_the_bracket_fits_for_certain(grids, most_in_a_warp):
    """The order statistics are up to 3.5 deviations of the sample off, at the 99th percentile."""
    means = 2 * 3.5 * np.sqrt(0.99 * 0.01 / grids["sample"]) * most_in_a_warp
    for mean, warps, segment in zip(means, grids["warps"], grids["segment"], strict=True):
        assert warps * chance_of_more(mean, segment) < 1e-4
