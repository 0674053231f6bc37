"""A GPU call's workspace under XLA, without a GPU: xla/shared/scratch.h on a double of XLA."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tailops import build_info

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "csrc"
COMPILER = shutil.which(os.environ.get("CXX", "g++"))


def headers_of_tensorflow():
    import tensorflow as tf

    return tf.sysconfig.get_include()


def headers_of_jax():
    jax = pytest.importorskip("jax")
    return jax.ffi.include_dir()


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
@pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")
@pytest.mark.parametrize("headers", [headers_of_tensorflow, headers_of_jax])
def test_a_workspace_from_xla(tmp_path, headers):
    """Aligned to 256 bytes where XLA gives 16; and where it refuses, it says why."""
    program = tmp_path / "allocate"
    include = [f"-I{SOURCES}", "-isystem", headers()]
    source = HERE / "scratch/allocate.cc"
    subprocess.run([COMPILER, "-std=c++17", "-O1", *include, source, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    said = "workspace of 1048817 bytes: Failed to allocate scratch memory: "
    assert (done.stdout, done.returncode) == (said + "the device has no such memory\n", 0)
