"""JAX's arrays sharded over its devices, in processes of their own: `sharded.py` checks."""

import subprocess
import sys
from pathlib import Path

import pytest
from quick import quick

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

HERE = Path(__file__).parent


@pytest.mark.parametrize("mode", ["x32", "x64"])
@pytest.mark.parametrize("devices", quick(4, of=[4, 8]))
def test_the_same_as_on_one_device(devices, mode):
    done = subprocess.run(
        [sys.executable, HERE / "sharded.py", str(devices), mode],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
