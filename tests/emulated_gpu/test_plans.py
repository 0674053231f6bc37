"""What is launched for a loss, and how much memory it takes: compiled for the host, no GPU."""

import subprocess
from functools import partial

import pytest
from emulation import COMPILER, SOURCES
from paths import LOSS_PATHS
from planned import Call, in_words

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture
def forward(plans):
    return partial(plans, "forward")


@pytest.fixture
def backward(plans):
    return partial(plans, "backward")


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


def test_who_writes_the_losses_of_columns(forward):
    """Elements, in the order of memory; rows of more than one, each by a warp or a thread."""
    each, rows = forward(Call((1000, 4096), 0, "none"), Call((1000, 4096), 0, "per_sample"))
    assert each.kernels == {"ColumnForward<ManyOutputs>", "ColumnLosses"}
    assert rows.kernels == {"ColumnForward<ManyOutputs>", "AddRows<RowLosses>"}


def test_a_large_sample_is_drawn_by_many_blocks(forward):
    """Of more than 4,096; a smaller one by the block that looks at it."""
    plans = forward(*(Call((n,)) for n in range(1_000_000, 2_000_000, 20_000)))
    samples = [plan.number("sample") for plan in plans]
    assert [sample > 4096 for sample in samples] == ["Draw" in plan.kernels for plan in plans]
    assert any(3000 < sample <= 4096 for sample in samples)
    assert any(4096 < sample < 8192 for sample in samples)


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


@pytest.mark.parametrize("name", ["loss/forward", "loss/backward", "quantile/forward"])
def test_plans_need_no_cuda(name):
    """Their headers are the host's arithmetic."""
    text = f'#include "cuda/{name}_plan.h"\n'
    flags = ["-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}"]
    subprocess.run([COMPILER, *flags, "-x", "c++", "-"], input=text, text=True, check=True)
