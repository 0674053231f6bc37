"""What the loops are made of, for each instruction set: every primitive against plain code."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import aarch64
import pytest

from tailops import _kernels

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CHECK = HERE / "vectors/check.cc"
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
# As the build compiles the loops.
COMMON = ["-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-Wno-psabi"]
STRICT = ["-Wall", "-Wextra", "-Wshadow", "-Werror", f"-I{ROOT / 'csrc'}"]
FLAGS = {
    target: flags.split()
    for target, flags in re.findall(
        r"add_loops\((\w+) *([^)]*)\)", (ROOT / "cmake/kernels.cmake").read_text()
    )
}


def check(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 wrong\n")


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
@pytest.mark.parametrize("target", FLAGS)
def test_primitives(tmp_path, target):
    if target != "common" and target not in _kernels.build_info()["instruction_sets"]:
        pytest.skip(f"this machine has no {target}")
    program = tmp_path / "check"
    subprocess.run([COMPILER, *COMMON, *STRICT, *FLAGS[target], CHECK, "-o", program], check=True)
    check([program])


@aarch64.needs_emulator
def test_primitives_on_aarch64(tmp_path):
    check(aarch64.compiled(tmp_path / "check", *COMMON, *STRICT, CHECK))
