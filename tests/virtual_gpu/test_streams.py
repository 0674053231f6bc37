"""Streams lag behind the host; what waits for what, and what does not."""

import threading
from ctypes import byref, c_float, c_size_t, c_uint, c_void_p

import numpy as np
import pytest
from cuda_driver import HOST_FUNCTION, INCREMENT, NULL, CudaError

BLOCKING, NON_BLOCKING = 0, 1


class Held:
    """A stream that does nothing until it is let go."""

    def __init__(self, driver, flags=NON_BLOCKING):
        self.driver = driver
        self.stream = driver.stream(flags)
        self.gate = threading.Event()
        self.function = HOST_FUNCTION(lambda _: self.gate.wait())
        driver.cuLaunchHostFunc(self.stream, self.function, NULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.driver.cuCtxSynchronize()

    def is_done(self):
        return is_done(self.driver, self.stream)


def is_done(driver, stream):
    try:
        driver.cuStreamQuery(stream)
    except CudaError as error:
        if error.name != "CUDA_ERROR_NOT_READY":
            raise
        return False
    return True


def add_one(driver, address, stream, times=1):
    function = driver.function(INCREMENT, "increment")
    for _ in range(times):
        driver.launch(function, address, c_uint(1), block=(4,), stream=stream)


def test_host_does_not_wait(driver):
    address = driver.array(np.zeros(4, np.uint32))
    with Held(driver) as held:
        add_one(driver, address, held.stream)
        assert not held.is_done()
        np.testing.assert_array_equal(np.frombuffer(memory_at(address, 16), np.uint32), 0)
    assert held.is_done()
    np.testing.assert_array_equal(driver.values(address, 4), 1)


def memory_at(address, size):
    """As it is: the device's memory is the host's, and this asks no stream."""
    return (c_uint * (size // 4)).from_address(address.value)


def test_stream_keeps_its_order(driver):
    address = driver.array(np.zeros(4, np.uint32))
    stream = driver.stream()
    add_one(driver, address, stream, times=20)
    driver.cuMemsetD32Async(address, c_uint(7), c_size_t(4), stream)
    add_one(driver, address, stream, times=3)
    driver.cuStreamSynchronize(stream)
    np.testing.assert_array_equal(driver.values(address, 4), 10)


def test_streams_do_not_wait_for_each_other(driver):
    address = driver.array(np.zeros(4, np.uint32))
    with Held(driver):
        other = driver.stream()
        add_one(driver, address, other)
        driver.cuStreamSynchronize(other)
        np.testing.assert_array_equal(np.frombuffer(memory_at(address, 16), np.uint32), 1)


@pytest.mark.parametrize(("flags", "waits"), [(BLOCKING, True), (NON_BLOCKING, False)])
def test_legacy_stream_waits_for_blocking_ones(driver, flags, waits):
    done = threading.Event()
    function = HOST_FUNCTION(lambda _: done.set())
    with Held(driver, flags):
        driver.cuLaunchHostFunc(NULL, function, NULL)
        assert done.wait(0.2 if waits else 20) != waits
    assert done.wait(20)


@pytest.mark.parametrize(("flags", "waits"), [(BLOCKING, True), (NON_BLOCKING, False)])
def test_legacy_stream_is_done_when_blocking_ones_are(driver, flags, waits):
    with Held(driver, flags):
        assert is_done(driver, NULL) != waits
    assert is_done(driver, NULL)


@pytest.mark.parametrize(("flags", "waits"), [(BLOCKING, True), (NON_BLOCKING, False)])
def test_blocking_streams_wait_for_the_legacy_one(driver, flags, waits):
    gate, done = threading.Event(), threading.Event()
    hold = HOST_FUNCTION(lambda _: gate.wait())
    function = HOST_FUNCTION(lambda _: done.set())
    stream = driver.stream(flags)
    driver.cuLaunchHostFunc(NULL, hold, NULL)
    driver.cuLaunchHostFunc(stream, function, NULL)
    try:
        assert done.wait(0.2 if waits else 20) != waits
    finally:
        gate.set()
        driver.cuCtxSynchronize()  # both: what a stream still calls must not be freed
    assert done.is_set()


def test_destroyed_stream_finishes(driver):
    """What it was given is done, and who waits for all waits for it as well."""
    address = driver.array(np.zeros(4, np.uint32))
    function = driver.function(INCREMENT, "increment")
    with Held(driver) as held:
        driver.launch(function, address, c_uint(1), block=(4,), stream=held.stream)
        driver.cuStreamDestroy_v2(held.stream)
        with pytest.raises(CudaError, match="INVALID_HANDLE"):
            driver.cuStreamSynchronize(held.stream)
        threading.Timer(0.1, held.gate.set).start()
        driver.cuCtxSynchronize()
        np.testing.assert_array_equal(np.frombuffer(memory_at(address, 16), np.uint32), 1)


def test_event_holds_another_stream(driver):
    address = driver.array(np.zeros(4, np.uint32))
    event = driver.make("cuEventCreate", 0)
    other = driver.stream()
    with Held(driver) as held:
        driver.cuEventRecord(event, held.stream)
        driver.cuStreamWaitEvent(other, event, 0)
        add_one(driver, address, other)
        assert not is_done(driver, other)
        with pytest.raises(CudaError, match="NOT_READY"):
            driver.cuEventQuery(event)
    driver.cuEventQuery(event)
    assert is_done(driver, other)
    np.testing.assert_array_equal(driver.values(address, 4), 1)


def test_wait_is_for_the_last_record_before_it(driver):
    event = driver.make("cuEventCreate", 0)
    first, other = driver.stream(), driver.stream()
    driver.cuEventRecord(event, first)
    driver.cuStreamWaitEvent(other, event, 0)
    with Held(driver) as held:
        driver.cuEventRecord(event, held.stream)
        driver.cuStreamSynchronize(other)
        with pytest.raises(CudaError, match="NOT_READY"):
            driver.cuEventQuery(event)


def test_event_that_was_never_recorded(driver):
    event = driver.make("cuEventCreate", 0)
    stream = driver.stream()
    driver.cuEventQuery(event)
    driver.cuEventSynchronize(event)
    driver.cuStreamWaitEvent(stream, event, 0)
    driver.cuStreamSynchronize(stream)


def test_elapsed_time(driver):
    begin, end = driver.make("cuEventCreate", 0), driver.make("cuEventCreate", 0)
    stream = driver.stream()
    milliseconds = c_float()
    driver.cuEventRecord(begin, stream)
    wait = HOST_FUNCTION(lambda _: threading.Event().wait(0.05))
    driver.cuLaunchHostFunc(stream, wait, NULL)
    driver.cuEventRecord(end, stream)
    with pytest.raises(CudaError, match="NOT_READY"):
        driver.cuEventElapsedTime(byref(milliseconds), begin, end)
    driver.cuEventSynchronize(end)
    driver.cuEventElapsedTime(byref(milliseconds), begin, end)
    assert milliseconds.value >= 45


def test_copies_of_memory_of_the_program(driver):
    """It may be used again when an asynchronous call is back."""
    size = c_size_t(16)
    values = np.arange(4, dtype=np.uint32)
    address = driver.array(np.zeros(4, np.uint32))
    with Held(driver) as held:
        pointer = values.ctypes.data_as(c_void_p)
        driver.cuMemcpyHtoDAsync_v2(address, pointer, size, held.stream)
        values[:] = 9
    stream = driver.stream()
    driver.cuMemcpyDtoHAsync_v2(values.ctypes.data_as(c_void_p), address, size, stream)
    np.testing.assert_array_equal(values, np.arange(4))


def test_copies_of_pinned_memory_come_later(driver):
    """It is read when the stream gets there, so that who changes it too early is found out."""
    size = c_size_t(16)
    pinned = driver.make("cuMemHostAlloc", size, 0)
    values = np.frombuffer(memory_at(pinned, 16), np.uint32)
    values[:] = 1
    address = driver.array(np.zeros(4, np.uint32))
    with Held(driver) as held:
        driver.cuMemcpyHtoDAsync_v2(address, pinned, size, held.stream)
        values[:] = 2
    np.testing.assert_array_equal(driver.values(address, 4), 2)
    with Held(driver) as held:
        driver.cuMemsetD32Async(address, c_uint(3), c_size_t(4), held.stream)
        driver.cuMemcpyDtoHAsync_v2(pinned, address, size, held.stream)
        np.testing.assert_array_equal(values, 2)
    np.testing.assert_array_equal(values, 3)
    driver.cuMemFreeHost(pinned)


def test_host_functions_make_no_calls(driver):
    errors = []

    def call(_):
        driver.library.cuCtxSetCurrent(driver.context)
        errors.append(driver.library.cuStreamSynchronize(other))

    function = HOST_FUNCTION(call)
    stream, other = driver.stream(), driver.stream()
    driver.cuLaunchHostFunc(stream, function, NULL)
    driver.cuStreamSynchronize(stream)
    assert [driver.name_of(error) for error in errors] == ["CUDA_ERROR_NOT_PERMITTED"]
