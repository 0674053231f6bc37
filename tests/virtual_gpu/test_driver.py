"""Memory and errors of the virtual driver."""

import os
import struct
import subprocess
import sys
from ctypes import byref, c_char_p, c_size_t, c_uint, c_uint64, c_void_p

import numpy as np
import pytest
import virtual_gpu
from cuda_driver import FAULTS, NULL, CudaError, complaint_of


def test_bounds_of_copies(driver):
    address = driver.array(np.zeros(4, np.uint32))
    host = np.zeros(8, np.uint32).ctypes.data_as(c_void_p)
    size = c_size_t(17)
    for call in (
        lambda: driver.cuMemcpyHtoD_v2(address, host, size),
        lambda: driver.cuMemcpyDtoH_v2(host, address, size),
        lambda: driver.cuMemcpyDtoD_v2(address, address, size),
        lambda: driver.cuMemcpy(address, host, size),
        lambda: driver.cuMemcpyHtoD_v2(host, host, c_size_t(4)),
        lambda: driver.cuMemsetD8_v2(address, 0, size),
        lambda: driver.cuMemsetD32_v2(c_void_p(address.value + 2), 0, c_size_t(1)),
    ):
        with pytest.raises(CudaError, match="INVALID_VALUE"):
            call()


def test_memory_is_freed_once(driver):
    address = driver.array(np.zeros(4, np.uint32))
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuMemFree_v2(c_void_p(address.value + 4))
    driver.cuMemFree_v2(address)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuMemFree_v2(address)
    driver.cuMemFree_v2(NULL)


def test_memory_runs_out(driver):
    free, total = c_size_t(), c_size_t()
    driver.cuMemGetInfo_v2(byref(free), byref(total))
    address = driver.make("cuMemAlloc_v2", c_size_t(1 << 20))
    less = c_size_t()
    driver.cuMemGetInfo_v2(byref(less), byref(total))
    assert free.value - less.value == 1 << 20
    with pytest.raises(CudaError, match="OUT_OF_MEMORY"):
        driver.make("cuMemAlloc_v2", free)
    driver.cuMemFree_v2(address)
    driver.cuMemGetInfo_v2(byref(less), byref(total))
    assert less.value == free.value


def test_alignment_is_not_better_than_promised(driver):
    for size in (1, 512, 4096, 1 << 21):
        address = driver.make("cuMemAlloc_v2", c_size_t(size))
        assert address.value % 512 == 0
        assert address.value % 1024 != 0


def test_dirty_memory(driver):
    with virtual_gpu.settings(dirty=1):
        address = driver.make("cuMemAlloc_v2", c_size_t(16))
    np.testing.assert_array_equal(driver.values(address, 4), 0xFFFFFFFF)


def test_memory_in_rows(driver):
    pitch, width, rows = 64, 20, 3
    address = driver.array(np.zeros(pitch * rows, np.uint8))
    driver.cuMemsetD2D8Async(address, c_size_t(pitch), 5, c_size_t(width), c_size_t(rows), NULL)
    values = driver.values(address, pitch * rows, np.uint8).reshape(rows, pitch)
    np.testing.assert_array_equal(values[:, :width], 5)
    np.testing.assert_array_equal(values[:, width:], 0)


def test_addresses_and_memory_are_two_things(driver):
    """What is mapped can be used when access is set, at every address where it is."""
    size = c_size_t(2 << 20)
    properties = struct.pack("4i2Q4x", 1, 0, 1, 0, 0, 0) + bytes(16)  # pinned, of device 0
    access = struct.pack("3i", 1, 0, 3)  # of device 0, to read and to write
    first, second = c_uint64(), c_uint64()
    for address in (first, second):
        driver.cuMemAddressReserve(byref(address), size, c_size_t(0), c_uint64(0), c_uint64(0))
    memory = c_uint64()
    driver.cuMemCreate(byref(memory), size, properties, c_uint64(0))
    for address in (first, second):
        driver.cuMemMap(address, size, c_size_t(0), memory, c_uint64(0))
    driver.cuMemRelease(memory)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuMemsetD32_v2(first, 7, c_size_t(4))
    for address in (first, second):
        driver.cuMemSetAccess(address, size, access, c_size_t(1))
    driver.cuMemsetD32_v2(first, 7, c_size_t(4))
    driver.cuCtxSynchronize()
    np.testing.assert_array_equal(driver.values(second, 4), 7)
    for address in (first, second):
        driver.cuMemUnmap(address, size)
        driver.cuMemAddressFree(address, size)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuMemsetD32_v2(second, 7, c_size_t(4))


@pytest.mark.parametrize(
    ("kernel", "error", "code"),
    [
        ("store", "CUDA_ERROR_ILLEGAL_ADDRESS", 700),
        ("misaligned", "CUDA_ERROR_MISALIGNED_ADDRESS", 716),
        ("fail", "CUDA_ERROR_LAUNCH_FAILED", 719),
    ],
)
def test_faults_stay(driver, kernel, error, code):
    """The launch returns; what waits for it says what happened, and so does all that follows."""
    address = driver.array(np.zeros(4, np.uint32))
    module = driver.module(FAULTS)
    name = "store" if kernel == "misaligned" else kernel
    function = driver.make("cuModuleGetFunction", module, name.encode())
    bad = {"store": 1 << 40, "misaligned": address.value + 2, "fail": address.value}[kernel]
    stream = driver.stream()
    driver.launch(function, c_uint64(bad), stream=stream)
    driver.cuMemsetD32Async(address, c_uint(9), c_size_t(4), stream)
    for call in (
        lambda: driver.cuStreamSynchronize(stream),
        driver.cuCtxSynchronize,
        lambda: driver.values(address, 4),
        lambda: driver.make("cuMemAlloc_v2", c_size_t(4)),
        lambda: driver.launch(function, address),
    ):
        with pytest.raises(CudaError, match=error) as raised:
            call()
        assert raised.value.code == code
    assert complaint_of(name)
    virtual_gpu.recover()
    np.testing.assert_array_equal(driver.values(address, 4), 0)


def test_freed_memory_is_a_fault(driver):
    address = driver.array(np.zeros(4, np.uint32))
    function = driver.function(FAULTS, "store")
    driver.launch(function, address)
    driver.cuCtxSynchronize()
    driver.cuMemFree_v2(address)
    driver.launch(function, address)
    with pytest.raises(CudaError, match="ILLEGAL_ADDRESS"):
        driver.cuCtxSynchronize()
    assert complaint_of("store")


def test_launch_that_takes_too_long(driver):
    endless = ".visible .entry endless()\n{\nagain:\n bra again;\n}\n"
    function = driver.function(endless, "endless")
    with virtual_gpu.settings(steps=1):
        driver.launch(function)
        with pytest.raises(CudaError, match="LAUNCH_TIMEOUT"):
            driver.cuCtxSynchronize()
    assert complaint_of("endless")


def test_names_and_texts(driver):
    text = c_char_p()
    for code, name, words in (
        (0, "CUDA_SUCCESS", "no error"),
        (2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"),
        (700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"),
        (908, "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD", "attempt to terminate"),
    ):
        assert driver.name_of(code) == name
        driver.cuGetErrorString(code, byref(text))
        assert text.value.decode().startswith(words)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuGetErrorString(98765, byref(text))


def test_entry_point_that_is_not_there(driver):
    for _ in range(2):
        with pytest.raises(CudaError, match="NOT_SUPPORTED"):
            driver.cuTexObjectCreate()
    assert virtual_gpu.take_complaints() == ["cuTexObjectCreate is not there"]


@pytest.mark.parametrize(
    ("visible", "is_there"), [("0", True), ("0,1", True), ("-1", False), ("", False)]
)
def test_visible_devices(visible, is_there):
    program = "import ctypes; print(ctypes.CDLL('libcuda.so.1').cuInit(0))"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": visible}
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ("0\n" if is_there else "100\n")


def test_contexts_of_a_thread(driver):
    """A stack, which every thread has for itself."""
    current = c_void_p()
    driver.cuCtxPushCurrent_v2(driver.context)
    driver.cuCtxPopCurrent_v2(byref(current))
    assert current.value == driver.context.value
    driver.cuCtxGetCurrent(byref(current))
    assert current.value == driver.context.value
    driver.cuCtxSetCurrent(NULL)
    driver.cuCtxGetCurrent(byref(current))
    assert current.value is None
    for call in (
        lambda: driver.make("cuMemAlloc_v2", c_size_t(4)),
        lambda: driver.cuCtxPopCurrent_v2(byref(current)),
        lambda: driver.cuCtxSetCurrent(c_void_p(1 << 40)),
    ):
        with pytest.raises(CudaError, match="INVALID_CONTEXT"):
            call()
    driver.cuCtxSetCurrent(driver.context)
