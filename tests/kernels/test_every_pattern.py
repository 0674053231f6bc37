"""Ordered keys, and float16 and bfloat16 widened and narrowed, of every pattern there is.

Of all 8 and 16 bits always, of a part of the 2^32 here, and of all of them in the extended tests.
"""

import subprocess
from pathlib import Path

import aarch64
import pytest
from test_vectors import COMMON, COMPILER, FLAGS, STRICT

from tailops import _kernels

CHECK = Path(__file__).parent / "every_pattern/check.cc"
# As a release is built: compilers make vectors of some of these maps by themselves.
BUILD = [*COMMON, "-O3", *STRICT]

QUICK, ALL = 61, 1
ENDS = 1 << 21  # of each exponent the first and the last numbers
# A pattern that each map gets wrong.
FAULTS = {
    "float16.key": 0x7C00,
    "float16.number": 0x83FF,
    "float16.widen": 0x0001,
    "float16.widened": 0x8400,
    "float16.load": 0x7BFF,
    "float16.narrow": 0x33000000,  # half of the least number, a tie
    "float16.store": 0x477FEFFF,  # the last that is not infinity
    "bfloat16.key": 0x8000,
    "bfloat16.number": 0x7FFF,  # nobody's
    "bfloat16.widen": 0x0040,
    "bfloat16.widened": 0xC2F7,
    "bfloat16.load": 0xFF80,
    "bfloat16.narrow": 0x7F7FFFFF,
    "bfloat16.store": 0x80000001,
    "float32.key": 0x7F800000,
    "float32.number": 0x80000000,
    "float32.middle": 0x3F800001,
    "float32.positive_key": 0x80000000,
    "int8.key": 0x80,
    "uint8.key": 0xFF,
    "int16.key": 0x8000,
    "uint16.key": 0x0000,
    "int32.key": 0x7FFFFFFF,
    "uint32.key": 0xFFFFFFFF,
    "subnormals": 0,  # no map: they are flushed
}
# In no quick run.
HIDDEN = 0x5C6D7E8F


@pytest.fixture(name="check", scope="module", params=FLAGS)
def of_an_instruction_set(request, tmp_path_factory):
    target = request.param
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    if target != "common" and target not in _kernels.build_info()["instruction_sets"]:
        pytest.skip(f"this machine has no {target}")
    program = tmp_path_factory.mktemp(target) / "check"
    command = [COMPILER, *BUILD, *FLAGS[target], CHECK, "-pthread", "-o", program]
    subprocess.run(command, check=True)
    return [program]


def run(check, stride, *fault):
    """Whether all is right, and what was printed."""
    command = [*check, *map(str, (stride, *fault))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    right = done.returncode == 0
    assert done.stdout.endswith(" 0 wrong\n") == right
    return right, done.stdout


def test_many_patterns(check):
    right, printed = run(check, QUICK)
    assert right, printed


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(check, fault):
    right, printed = run(check, ENDS, fault, FAULTS[fault])
    assert not right
    wanted = "float32.key of 0x" if fault == "subnormals" else f"{fault} of 0x{FAULTS[fault]:08x}\n"
    assert wanted in printed


@pytest.mark.extended
def test_all_patterns(check):
    """They are right but the one that is not, of which a part of them has nothing to say."""
    fault = "bfloat16.store", HIDDEN
    assert run(check, QUICK, *fault)[0]
    right, printed = run(check, ALL, *fault)
    assert not right
    first, last = printed.splitlines()
    assert first == f"bfloat16.store of 0x{HIDDEN:08x}"
    assert last.endswith(f", {2**17} patterns of halves, {2**32} of float32: 1 wrong")


@aarch64.needs_emulator
def test_some_patterns_on_aarch64(tmp_path):
    check = aarch64.compiled(tmp_path / "check", *BUILD, CHECK, "-pthread")
    right, printed = run(check, ENDS)
    assert right, printed
    for fault in ("float16.load", "float16.store", "subnormals"):
        assert not run(check, ENDS, fault, FAULTS[fault])[0], fault
