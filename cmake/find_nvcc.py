"""Prints nvcc of PyPI's packages beside this Python and the folder of its libraries.

The packages come with others, too, and then often without a part: nvcc for CUDA 12 is only its
assembler, and parts of different versions do not fit. So this one has built something.
"""

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

PROGRAM = "__global__ void kernel(int* x) { *x = 1; }\nvoid run(int* x) { kernel<<<1, 1>>>(x); }\n"


def candidates():
    folders = {sysconfig.get_path(scheme) for scheme in ("platlib", "purelib")}
    for folder in sorted(folders):
        yield from sorted(Path(folder).glob("nvidia/*/bin/nvcc"), reverse=True)


def failure_of(nvcc, libraries):
    """What it says where it cannot build, or an empty string."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "program.cu")
        source.write_text(PROGRAM)
        options = [f"-L{libraries}", "-shared", "-Xcompiler=-fPIC", "-Xlinker=-z,defs"]
        done = subprocess.run(
            [nvcc, *options, source, "-o", source.with_suffix(".so")],
            capture_output=True,
            text=True,
            check=False,
        )
        return (done.stdout + done.stderr or "it failed") if done.returncode else ""


def find():
    for nvcc in candidates():
        libraries = nvcc.parents[1] / "lib"
        failure = failure_of(nvcc, libraries)
        if not failure:
            return nvcc, libraries
        print(f"{nvcc} does not work:\n{failure}", file=sys.stderr)
    return None


if __name__ == "__main__":
    found = find()
    if found:
        print(*found, sep=";")
