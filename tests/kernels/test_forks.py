"""How work is shared out among threads: counted, not timed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tailops import _kernels

HERE = Path(__file__).parent
LIBRARY = Path(_kernels.__file__).parent / "libtailops_kernels.so"
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
EVERY_PASS = (
    "forward",
    "forward, ignoring",
    "forward, one group",
    "backward",
    "selection",
    "selection's gradient",
)
# Those that go through group by group.
BY_GROUP = ("forward", "forward, ignoring", "backward", "selection")


@pytest.fixture(scope="module")
def count(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    program = tmp_path_factory.mktemp("forks") / "count"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{HERE.parents[1] / 'csrc'}"]
    linked = [LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run([COMPILER, *flags, HERE / "forks/count.cc", *linked, "-o", program], check=True)

    def run(name, outer, length, inner, threads):
        """How often the pass forks; into how many ranges at most and, of much work, at least."""
        arguments = [name, *map(str, (outer, length, inner, threads))]
        printed = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
        return tuple(map(int, printed.stdout.split()))

    return run


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("name", BY_GROUP)
def test_many_groups_are_taken_side_by_side(count, name, threads):
    """Whatever their length: a fork for each would cost more than it brings."""
    for length in (32_767, 32_768, 40_000):
        forks, most, _ = count(name, 244, length, 1, threads)
        assert (forks <= 2, most) == (True, threads), f"{length} elements a group: {forks} forks"


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("name", ["forward, ignoring", "selection"])
def test_many_columns_are_taken_side_by_side(count, name, threads):
    for length in (32_767, 32_768):
        forks, most, _ = count(name, 1, length, 64, threads)
        assert (forks <= 2, most) == (True, threads), f"{length} elements a column: {forks} forks"


@pytest.mark.parametrize("name", EVERY_PASS)
@pytest.mark.parametrize("groups", [1, 2, 3, 9])
def test_few_large_groups_are_every_threads(count, name, groups):
    _, most, fewest = count(name, groups, 1_000_000, 1, 8)
    assert (most, fewest) == (8, 8)


@pytest.mark.parametrize("name", ["forward", "forward, ignoring", "backward", "selection"])
@pytest.mark.parametrize("inner", [2, 16])
@pytest.mark.parametrize("length", [16_000, 200_000])
def test_few_columns_are_several_threads(count, name, length, inner):
    """As many as there are columns, at least."""
    if inner * length < 100_000:
        pytest.skip("little work")
    _, most, _ = count(name, 1, length, inner, 8)
    assert most >= min(inner, 8)


def test_one_fork_for_one_gradient(count):
    assert count("selection's gradient", 1, 1_000_000, 1, 8)[0] == 1
