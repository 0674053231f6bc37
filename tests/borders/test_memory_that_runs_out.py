"""Nothing thrown leaves the C++ code.

Memory that runs out is the framework's error, which says for what, on whatever thread it was; and
the next call is right.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tailops import build_info

HERE = Path(__file__).parent
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
BORDERS = ["numpy", "tensorflow", "function", "xla", "jax", "union"]


@pytest.fixture(scope="module")
def failing_allocations(tmp_path_factory):
    """The library that lets them fail."""
    library = tmp_path_factory.mktemp("preloaded") / "failing_allocations.so"
    strict = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-shared", "-fPIC"]
    subprocess.run(
        [COMPILER, *strict, HERE / "failing_allocations.cc", "-o", library, "-ldl"], check=True
    )
    return library


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="preloads a library")
@pytest.mark.parametrize("border", BORDERS)
def test_every_allocation_fails_once(border, failing_allocations):
    if border in {"xla", "jax"} and not build_info()[border]:
        pytest.skip("built without it")
    if border == "jax":
        pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, HERE / "sweep.py", border],
        env={**os.environ, "LD_PRELOAD": str(failing_allocations)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "calls failed" in done.stdout
