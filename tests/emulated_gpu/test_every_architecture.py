"""The CUDA kernels compile for the oldest and the newest GPUs that they are for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NVCC = shutil.which("nvcc")
INTEGERS = None  # of selection: all in one file
# Whether it compiles, not how well: that takes half the time.
FLAGS = ["-std=c++17", "-fmad=false", "--expt-relaxed-constexpr", "-Xptxas=-O0"]
WARNINGS = ["-Xcompiler=-Wall,-Wextra", "-Werror=all-warnings"]


def architectures():
    """The oldest and the newest of those in cmake/cuda.cmake that this nvcc knows.

    They differ most in what they give a block; `make wheels` compiles for all of them.
    """
    text = (ROOT / "cmake/cuda.cmake").read_text()
    listed = re.search(r"foreach\(architecture ([\d ]+)\)", text)[1].split()
    asked = [NVCC, "--list-gpu-code"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    found = [a for a in listed if f"sm_{a}" in known]
    return [found[0], found[-1]]


@pytest.mark.extended
@pytest.mark.skipif(NVCC is None, reason="no nvcc")
@pytest.mark.parametrize(
    ("file", "element"),
    [
        ("loss/tail_loss.cu", "float"),
        ("loss/tail_loss.cu", "double"),
        ("quantile/quantile.cu", "float"),
        ("quantile/quantile.cu", INTEGERS),
        ("range_mean/range_mean.cu", "float"),
        ("range_mean/range_mean.cu", "double"),
        ("union/union.cu", "float"),
        ("union/union.cu", "double"),
    ],
)
def test_compiles(tmp_path, file, element):
    # What is double is the same text, for which the architecture with the least is enough.
    for architecture in architectures()[: 1 if element == "double" else None]:
        defined = [] if element is INTEGERS else [f"-DTAILOPS_ELEMENT={element}"]
        source = [f"-I{ROOT / 'csrc'}", ROOT / "csrc/cuda" / file]
        command = [NVCC, *FLAGS, *WARNINGS, *defined, f"-arch=sm_{architecture}", "-cubin", *source]
        done = subprocess.run(
            [*command, "-o", tmp_path / "kernels.cubin"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"sm_{architecture}: {done.stdout}{done.stderr}"
