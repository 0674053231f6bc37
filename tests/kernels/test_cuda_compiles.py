"""What host and device will share compiles for a GPU. It has not run on one yet."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NVCC = shutil.which("nvcc")


@pytest.mark.skipif(NVCC is None, reason="no CUDA compiler")
def test_shared_code_compiles(tmp_path):
    # As the build's.
    flags = ["-std=c++17", "-arch=sm_90", "--fmad=false", "--expt-relaxed-constexpr"]
    flags += ["-Werror", "all-warnings"]
    paths = [f"-I{HERE.parents[1] / 'csrc'}", "-c", HERE / "cuda/shared_code.cu"]
    done = subprocess.run(
        [NVCC, *flags, *paths, "-o", tmp_path / "shared_code.o"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
