"""These tests run where there is a GPU, with `make gpu-test`; elsewhere each is skipped."""

import os
from pathlib import Path

import pytest


def missing():
    """What keeps these tests from running, or an empty string."""
    if os.environ.get("TAILOPS_TEST_GPU") != "1":
        return "GPU tests run with `make gpu-test` (TAILOPS_TEST_GPU=1)"
    from tailops import build_info, cuda

    if not build_info()["cuda"]:
        return "tailops was built without CUDA"
    return "" if cuda.device_count() else "no GPU is visible"


def pytest_collection_modifyitems(items):
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    reason = missing() if here else ""
    for item in here:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
