"""Every launch path of loss, selection, range means: compiled, in several schedules, all checks."""

import math
from functools import partial

import numpy as np
import pytest
import virtual_gpu
from on_device import averaged_on_device, on_device, selected_on_device
from paths import LOSS_PATHS, LossPath
from problems import check_against_cpu, of_values
from range_means import FLOATS
from selection_paths import RANGE_PATHS, SELECTION_PATHS, RangePath, SelectionPath
from selections import check
from union_paths import LOSS_UNION_PATHS, RANGE_UNION_PATHS, LossUnionPath
from unions import losses_on_device, means_on_device
from weighted import check_range_mean
from windows import check_stream

from bench.gpu_report import kernel_name
from tailops import cuda

# What benchmarks measure against: ReadTwo and ReadTwoWriteOne, no part of any call.
FLOORS = "ReadTwo"


def remembered(dtype, **how):
    """Batches that are shorter and longer than a window, and than a block."""
    check_stream(np.random.default_rng(0), 1500, (3, 1024, 4000, 0, 700), dtype, **how)


def of_types(paths):
    """A path with each of its types."""
    cases = [(path, dtype) for path in paths for dtype in path.dtypes]
    return pytest.mark.parametrize(
        ("path", "dtype"), cases, ids=[f"{path}-{dtype}" for path, dtype in cases]
    )


def of_schedules(paths):
    """A path in each schedule, with its first type; but for what would take half a minute."""
    some = [path for path in paths if math.prod(path.shape) < 500_000]
    cases = [(path, schedule) for path in some for schedule in virtual_gpu.SCHEDULES]
    return pytest.mark.parametrize(
        ("path", "schedule"), cases, ids=[f"{path}-{schedule}" for path, schedule in cases]
    )


@of_schedules(LOSS_PATHS)
def test_loss(path, schedule):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        problem = path.problem(path.dtypes[0])
        check_against_cpu(problem, *on_device(problem))


@of_types(LOSS_PATHS)
def test_loss_of_each_type(path, dtype):
    problem = path.problem(dtype, "random")
    check_against_cpu(problem, *on_device(problem))


@of_types(LOSS_PATHS)
def test_values_of_each_type(path, dtype):
    problem = of_values(path.problem(dtype, "random"))
    check_against_cpu(problem, *on_device(problem))


@of_schedules(SELECTION_PATHS)
def test_selection(path, schedule):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        case = path.case(path.dtypes[0])
        check(case, *selected_on_device(case))


@of_types(SELECTION_PATHS)
def test_selection_of_each_type(path, dtype):
    case = path.case(dtype)
    check(case, *selected_on_device(case))


@of_schedules(RANGE_PATHS)
def test_range_mean(path, schedule):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        case = path.case(path.dtypes[0])
        check_range_mean(case, *averaged_on_device(case, bounds_too=path.on_device))


@of_types(RANGE_PATHS)
def test_range_mean_of_each_type(path, dtype):
    case = path.case(dtype, "random")
    check_range_mean(case, *averaged_on_device(case, bounds_too=path.on_device))


@of_schedules(LOSS_UNION_PATHS)
def test_union_of_losses(path, schedule):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        problem = path.problem(path.dtypes[0])
        check_against_cpu(problem, *losses_on_device(problem, path.cuts))


@of_types(LOSS_UNION_PATHS)
def test_union_of_losses_of_each_type(path, dtype):
    for problem in (path.problem(dtype, "random"), of_values(path.problem(dtype, "random"))):
        check_against_cpu(problem, *losses_on_device(problem, path.cuts))


@of_schedules(RANGE_UNION_PATHS)
def test_union_of_ranges(path, schedule):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        case = path.case(path.dtypes[0])
        check_range_mean(case, *means_on_device(case, path.cuts))


@of_types(RANGE_UNION_PATHS)
def test_union_of_ranges_of_each_type(path, dtype):
    case = path.case(dtype, "random")
    check_range_mean(case, *means_on_device(case, path.cuts))


@pytest.mark.parametrize("schedule", virtual_gpu.SCHEDULES)
@pytest.mark.parametrize("in_place", [False, True])
def test_windows(schedule, in_place):
    with virtual_gpu.settings(**virtual_gpu.SCHEDULES[schedule]):
        remembered("float32", masked=True, in_place=in_place)


@pytest.mark.parametrize("dtype", FLOATS)
def test_windows_of_each_type(dtype):
    remembered(dtype)


# Of each kind of path: what it is of, on the device, and what checks it.
EVERYTHING = [
    (LOSS_PATHS, LossPath.problem, lambda _, problem: on_device(problem), check_against_cpu),
    (SELECTION_PATHS, SelectionPath.case, lambda _, case: selected_on_device(case), check),
    (
        RANGE_PATHS,
        RangePath.case,
        lambda path, case: averaged_on_device(case, bounds_too=path.on_device),
        check_range_mean,
    ),
    (
        LOSS_UNION_PATHS,
        LossUnionPath.problem,
        lambda path, problem: losses_on_device(problem, path.cuts),
        check_against_cpu,
    ),
    (
        RANGE_UNION_PATHS,
        RangePath.case,
        lambda path, case: means_on_device(case, path.cuts),
        check_range_mean,
    ),
]


def launched(run):
    """The kernels that are launched, by their whole names."""
    with virtual_gpu.settings(count=1, races=0, initialisation=0):
        virtual_gpu.take_counts()
        run()
        return {counts["kernel"] for counts in virtual_gpu.take_counts()}


def test_the_paths_are_what_they_say_and_all_there_are():
    everything = set()
    for dtype in FLOATS:
        everything |= launched(partial(remembered, dtype))
    for paths, problem_of, placed, checked in EVERYTHING:
        for path in paths:
            for dtype in path.dtypes:
                problem = problem_of(path, dtype)
                kernels = launched(partial(checked, problem, *placed(path, problem)))
                missing = path.kernels - {kernel_name(kernel) for kernel in kernels}
                assert not missing, f"{path}, {dtype}"
                everything |= kernels
    cuda.prepare()
    of_the_library = {kernel for kernel in virtual_gpu.kernels() if "tailops" in kernel}
    assert not {kernel for kernel in of_the_library - everything if FLOORS not in kernel}
