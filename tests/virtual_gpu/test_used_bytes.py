"""No load says that it does not need what is used behind it.

nvcc loads more than it needs where that makes one load of two, and says in a pragma which bytes it
needs. The others are anything.
"""

import re

import pytest
import virtual_gpu
from ptx import lines_of

from tailops import cuda

PRAGMA = re.compile(r'\s*\.pragma "used_bytes_mask (\d+)"')
LOAD = re.compile(r"\s*(?:@!?%p\d+ )?ld\.[\w.:]*[busf](8|16|32|64)\s*(\{[^}]*\}|%\w+)")


def unneeded(text):
    """The registers that loads say they do not need, each with the line."""
    for n, line in enumerate(text):
        if (said := PRAGMA.match(line)) is None:
            continue
        width, to = LOAD.match(text[n + 1]).groups()
        size = int(width) // 8
        for i, register in enumerate(re.findall(r"%\w+", to)):
            if int(said[1]) >> (i * size) & ((1 << size) - 1) == 0:
                yield n + 1, register


def used_all_the_same(text):
    return [
        (text[n].strip(), line.strip())
        for n, register in unneeded(text)
        for place, line in enumerate(text)
        if place != n and re.search(re.escape(register) + r"\b", line)
    ]


def test_a_use_is_found():
    load = ['.pragma "used_bytes_mask 15";', "ld.param.v2.f32 {%f1, %f2}, [%rd1];"]
    assert used_all_the_same([*load, "add.f32 %f3, %f1, %f11;"]) == []
    assert len(used_all_the_same([*load, "add.f32 %f3, %f2, %f1;"])) == 1


@pytest.mark.skipif(not virtual_gpu.is_here(), reason="runs with `make virtual-gpu`")
def test_every_kernel():
    cuda.prepare()
    kernels = [kernel for kernel in virtual_gpu.kernels() if "tailops" in kernel]
    assert len(kernels) > 100
    for kernel in kernels:
        lines, text = lines_of(kernel)
        assert used_all_the_same([text[n] for n in lines]) == [], kernel
