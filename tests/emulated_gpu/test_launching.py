"""What a launch asks of the CUDA runtime, without a GPU: see launching/runtime.h."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "csrc"
NVCC = shutil.which("nvcc")


@pytest.mark.skipif(NVCC is None, reason="no nvcc")
def test_launches(tmp_path):
    """Kernels are prepared when asked for; errors are those of the launch, and of nobody else."""
    program = tmp_path / "launches"
    flags = ["-std=c++17", "-O1", "-arch=sm_80", "-cudart", "none", f"-I{SOURCES}"]
    sources = [HERE / "launching/launches.cu", HERE / "launching/runtime.cc"]
    subprocess.run([NVCC, *flags, *sources, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
