"""These tests run on the virtual GPU, with `make virtual-gpu`; elsewhere each is skipped."""

import gc
from pathlib import Path

import numpy as np
import pytest
import virtual_gpu
from cuda_driver import INCREMENT, Driver

# What stands in for CuPy loads a CUDA runtime.
collect_ignore_glob = ["stand_ins/*"]


def pytest_collection_modifyitems(items):
    if virtual_gpu.is_here():
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.skip(reason="runs with `make virtual-gpu`"))


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left():
    """Arrays of other tests are freed now: later that could wait for a stream that a test holds."""
    gc.collect()


@pytest.fixture(autouse=True)
def no_complaints():
    """A test takes the complaints that it provokes; any other is its failure."""
    if not virtual_gpu.is_here():
        yield
        return
    virtual_gpu.change(**virtual_gpu.DEFAULTS)
    virtual_gpu.take_complaints()
    yield
    complaints = virtual_gpu.take_complaints()
    assert not complaints, "\n".join(complaints[:5])


@pytest.fixture(name="driver")
def new_driver():
    """The driver; after a fault that a test provokes, it works again."""
    yield Driver()
    virtual_gpu.recover()


@pytest.fixture(name="increment")
def increment_function(driver):
    return driver.function(INCREMENT, "increment")


@pytest.fixture(name="numbers")
def four_numbers(driver):
    return driver.array(np.zeros(4, np.uint32))


@pytest.fixture(name="stream")
def stream_of_its_own(driver):
    stream = driver.stream()
    yield stream
    driver.cuStreamDestroy_v2(stream)
