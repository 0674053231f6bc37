"""`python -m bench.gpu_report`: what the compiler gives each CUDA kernel; fails where it spills.

Compiles the kernels for each architecture, which takes some minutes and no GPU.
"""

import argparse
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).parents[1] / "csrc"
FLAGS = ["-std=c++17", "-fmad=false", "--expt-relaxed-constexpr", "-Xptxas=-v", "-cubin"]
ELEMENTS = ("float", "double", "Float16", "BFloat16")
INTEGERS = "integers"
FILES = ("loss/tail_loss.cu", "quantile/quantile.cu", "range_mean/range_mean.cu", "union/union.cu")
OF_INTEGERS = FILES[1]


class Resources(NamedTuple):
    """Of a kernel, per thread and in bytes; shared memory per block, without the dynamic.

    `warps`: how many a multiprocessor has registers for, of the 64 that it can hold.
    """

    kernel: str
    registers: int
    warps: int
    shared: int
    stack: int
    spilled: int


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def kernel_name(mangled: str) -> str:
    """`AddRows<RowLosses>` for `…run_kernelINS_4cuda7AddRowsINS2_9RowLossesIfEE…`."""
    found = re.findall(r"(?:4cuda|NS\d_)(\d+)(?=(\w+))", mangled)
    names: list[str] = [rest[: int(length)] for length, rest in found]
    return names[0] + "".join(f"<{name}>" for name in names[1:])


def resources(file: str, element: str, architecture: str) -> Iterator[Resources]:
    """Of every kernel of a file for an element type, or, for selection, for all integers."""
    command = ["nvcc", *FLAGS, f"-arch={architecture}"]
    if element != INTEGERS:
        command.append(f"-DTAILOPS_ELEMENT={element}")
    paths = [f"-I{SOURCES}", str(SOURCES / "cuda" / file), "-o", "/dev/null"]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    for text in (done.stdout + done.stderr).split("Compiling entry function")[1:]:
        registers = _number(r"Used (\d+) registers", text)
        yield Resources(
            kernel_name(text.split("'")[1]),
            registers,
            min(64, 65536 // (32 * 8 * -(-registers // 8))),
            _number(r"(\d+) bytes smem", text),
            _number(r"(\d+) bytes stack frame", text),
            _number(r"(\d+) bytes spill stores", text),
        )


def main() -> None:
    """Prints a line per kernel, element type and architecture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", nargs="+", default=["sm_80", "sm_90"])
    parser.add_argument("--elements", nargs="+", default=(*ELEMENTS, INTEGERS))
    parser.add_argument("--files", nargs="+", default=FILES, choices=FILES)
    arguments = parser.parse_args()
    if shutil.which("nvcc") is None:
        sys.exit("needs nvcc")
    names = (*Resources._fields[1:],)
    print(f"{'':8}{'':10}{'kernel':36}" + "".join(f"{name:>11}" for name in names))
    spilling = 0
    for architecture in arguments.architectures:
        for element, file in itertools.product(arguments.elements, arguments.files):
            if element == INTEGERS and file != OF_INTEGERS:
                continue
            for of in resources(file, element, architecture):
                cells = "".join(f"{value:>11}" for value in of[1:])
                print(f"{architecture:8}{element:10}{of.kernel:36}{cells}", flush=True)
                spilling += of.spilled > 0
    if spilling:
        sys.exit(f"{spilling} kernels spill registers")


if __name__ == "__main__":
    main()
