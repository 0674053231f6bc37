"""JAX's arrays sharded under `jit`, in processes of their own: `whole_arrays.py` checks."""

import subprocess
import sys
from pathlib import Path

import pytest

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("devices", "mode"), [(4, "x32"), pytest.param(8, "x64", marks=pytest.mark.extended)]
)
def test_the_same_as_on_one_device(devices, mode):
    done = subprocess.run(
        [sys.executable, HERE / "whole_arrays.py", str(devices), mode],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
