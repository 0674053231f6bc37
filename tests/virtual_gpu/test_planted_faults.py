"""The checks can fail: one fault of each class, planted in the compiled kernels, is noticed."""

import re

import pytest
import virtual_gpu
from mutations import Run, first_notice, measure
from on_device import on_device
from paths import LOSS_PATHS
from problems import check_against_cpu
from ptx import lines_of

from bench.gpu_report import kernel_name
from tailops import cuda

BARRIER, OF_LANES, FENCE = r"\s*bar\.sync", r"\s*bar\.warp\.sync", r"\s*membar\.gl"
STORE = r"(\s*st\.global\.f32\s*\[)(%rd\d+)(\+\d+)?(\].*)"


def kernel_of(name):
    """With float32 elements."""
    cuda.prepare()
    ours = [k for k in virtual_gpu.kernels() if "tailops" in k and "If" in k]
    return next(kernel for kernel in ours if kernel_name(kernel) == name)


def run_of(path_name):
    path = next(path for path in LOSS_PATHS if path.name == path_name)
    problem = path.problem("float32", "random")
    return Run(path_name, lambda: check_against_cpu(problem, *on_device(problem)))


def notice(path_name, kernel, number, text):
    return first_notice(kernel, number, text, [run_of(path_name)])


def on_the_path(path_name, name, pattern):
    """The first line of the kernel that the path executes and that looks so."""
    kernel = kernel_of(name)
    _, text = lines_of(kernel)
    executed = sorted(measure(run_of(path_name)).lines[kernel])
    return kernel, next((n, text[n]) for n in executed if re.match(pattern, text[n]))


@pytest.mark.parametrize(
    ("path", "kernel", "pattern", "expected"),
    [
        (
            "one_block",
            "GroupForward<BlockTeam><OneOutput>",
            BARRIER,
            "race in shared memory|before it is written",
        ),
        ("warps", "GroupForward<WarpTeam><OneOutput>", OF_LANES, "race in shared memory"),
        ("grid", "Collect", FENCE, "older value|race in global memory"),
    ],
)
def test_a_missing_barrier_or_fence(path, kernel, pattern, expected):
    kernel, (number, _) = on_the_path(path, kernel, pattern)
    assert re.search(expected, notice(path, kernel, number, "") or "nothing")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (r"\1\2+2\4", "is not aligned"),
        (r"\1\2+1073741824\4", "out of bounds of global memory"),
        ("", "another result|before it is written"),
        ("frobnicate.b32 %r1;", "frobnicate"),
    ],
    ids=["misaligned", "out_of_bounds", "never_written", "unknown"],
)
def test_a_store_that_is_wrong(change, expected):
    kernel, (number, text) = on_the_path("columns", "ColumnBackward<OneOutput>", STORE)
    found = notice("columns", kernel, number, re.sub(STORE, change, text))
    assert re.search(expected, found or "nothing"), found


def test_a_read_of_what_nobody_wrote():
    """Keys that are not stored are read all the same."""
    store = r"\s*st\.shared\.(v4\.)?[bu]32"
    kernel, (number, _) = on_the_path("one_block", "GroupForward<BlockTeam><OneOutput>", store)
    found = notice("one_block", kernel, number, "")
    assert re.search("before it is written|another result", found or "nothing"), found
