"""No instruction set's code is run by what has only another: the objects, and what is linked.

An inline function of no instruction set, a standard vector's `operator[]`, is compiled into every
object that calls it and has not inlined it, with that object's instructions. The linker keeps one.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In ascending order, and how their names stand in a mangled one.
SETS = {"common": "6common", "avx2": "4avx2", "avx512": "6avx512"}
ORDER = list(SETS)
# Compiled for more than the baseline, in every object alike, and called where that runs.
ATTRIBUTED = "widen_in_vectors"
# What the compiler has made of a function for its callers in the same object: nobody else's.
CLONE = re.compile(r"\.(isra|constprop|part|cold)\b")

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="one instruction set"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("nm", "objdump"))), reason="no binutils to look with"
    ),
]


def links(folder):
    """The objects of the kernels in the order in which they are linked, with their set each."""
    text = (folder / "build.ninja").read_text()
    inputs = re.search(r"^build libtailops_kernels\.so: \S+ ([^|\n]*)", text, re.M).group(1)
    found = []
    for name in inputs.split():
        loops = re.search(r"tailops_loops_(\w+)\.dir", name)
        found.append((folder / name, loops.group(1) if loops else "common"))
    return found


def weak_symbols(path):
    """Those that other objects may define as well: not those that have a set in their name."""
    listed = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^[0-9a-f]+ [WVu] (\S+)$", listed, re.M)
    # DW.ref is a pointer to a function of the C++ runtime's: there is no code in it.
    return {
        name
        for name in names
        if not name.startswith("DW.ref.") and not any(mark in name for mark in SETS.values())
    }


def set_of_function(name):
    return next((one for one in reversed(ORDER) if SETS[one] in name), "common")


def set_of_instruction(line):
    mnemonic = line.split(maxsplit=1)[0]
    if re.search(r"%zmm|%k[0-7]|%[xy]mm(?:1[6-9]|2\d|3[01])", line):
        return "avx512"
    return "avx2" if mnemonic.startswith("v") and mnemonic not in ("verr", "verw") else "common"


def strangers(library):
    """(function, instruction) of every function with one that its set has not; of all, how many."""
    command = ["objdump", "-d", "--no-show-raw-insn", library]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found, functions = {}, 0
    for name, body in re.findall(r"^[0-9a-f]+ <(\S+)>:\n((?: .*\n)*)", listed, re.M):
        functions += 1
        allowed = ORDER.index(set_of_function(name))
        for line in body.splitlines():
            instruction = line.partition(":\t")[2]
            if instruction and ORDER.index(set_of_instruction(instruction)) > allowed:
                found.setdefault(name, instruction)
    theirs = {name for name in found if ATTRIBUTED in name or CLONE.search(name)}
    return {name: line for name, line in found.items() if name not in theirs}, functions


def check(folder):
    """Returns how many functions more than one set has compiled."""
    objects = links(folder)
    order = [ORDER.index(name) for _, name in objects]
    assert sorted(set(order)) == [0, 1, 2]
    assert order == sorted(order), f"linked in this order: {[name for _, name in objects]}"
    kept, compiled = {}, {}
    for path, name in objects:
        for symbol in weak_symbols(path):
            kept.setdefault(symbol, name)
            compiled.setdefault(symbol, set()).add(name)
    for symbol, sets in compiled.items():
        assert kept[symbol] == min(sets, key=ORDER.index), symbol
    found, functions = strangers(folder / "libtailops_kernels.so")
    assert functions > 500
    assert not found
    return sum(len(sets) > 1 for sets in compiled.values())


def test_of_this_build():
    version = "".join(map(str, sys.version_info[:2]))
    system = re.sub(r"\W", "_", sysconfig.get_platform())
    folder = ROOT / f"build/cp{version}-cp{version}-{system}"
    if not (folder / "libtailops_kernels.so").exists():
        pytest.skip("not built here")
    if "-m" in (folder / "CMakeCache.txt").read_text().partition("CMAKE_CXX_FLAGS:")[2][:200]:
        pytest.skip("built with flags that say what the baseline is")
    check(folder)


@pytest.mark.extended
def test_without_inlining(tmp_path):
    """Every function is in every object that calls it: more of them than in any other build."""
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    cmake = shutil.which("cmake", path=tools)
    if cmake is None or shutil.which("ninja", path=tools) is None:
        pytest.skip("no CMake and Ninja")
    pybind11 = pytest.importorskip("pybind11").get_cmake_dir()
    environment = {**os.environ, "PATH": tools}
    configure = [
        cmake, "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
        "-DSKBUILD_PROJECT_VERSION=0", f"-DPython_EXECUTABLE={sys.executable}",
        f"-Dpybind11_DIR={pybind11}", "-DTAILOPS_TENSORFLOW=none", "-DTAILOPS_CUDA=OFF",
        "-DTAILOPS_JAX=OFF",
    ]  # fmt: skip
    subprocess.run(configure, check=True, env=environment, stdout=subprocess.DEVNULL)
    build = [cmake, "--build", tmp_path, "--target", "tailops_kernels", "--parallel", "2"]
    subprocess.run(build, check=True, env=environment, stdout=subprocess.DEVNULL)
    shared = check(tmp_path)
    assert shared > 10
