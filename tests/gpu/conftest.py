"""These tests run where there is a GPU, with `make gpu-test`; elsewhere each is skipped.

Asked for by that name where there is none, they fail: nothing was tested.
"""

import os
from pathlib import Path

import pytest

# JAX would take three quarters of the device's memory for itself; the other tests need it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")


def missing():
    """What keeps these tests from running though they were asked for, or an empty string."""
    from tailops import build_info, cuda

    if not build_info()["cuda"]:
        return "tailops was built without CUDA"
    return "" if cuda.device_count() else "no GPU is visible"


def pytest_collection_modifyitems(items):
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    if not here:
        return
    if os.environ.get("TAILOPS_TEST_GPU") == "1":
        if reason := missing():
            pytest.exit(f"the GPU tests cannot run: {reason}", returncode=1)
        return
    for item in here:
        item.add_marker(pytest.mark.skip(reason="GPU tests run with `make gpu-test`"))
