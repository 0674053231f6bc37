"""Memory, launches, modules and errors of the virtual driver and runtime."""

import ctypes
import struct
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

import numpy as np
import pytest
from cuda_driver import HEADER, INCREMENT, NULL, CudaError, Driver

# Each does to the address that it is given what a real GPU ends with an error.
FAULTS = """
.visible .entry store(.param .u64 address)
{
  .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [address];
  st.global.u32 [%rd1], 1;
  ret;
}
.visible .entry fail(.param .u64 address)
{
  trap;
}
.visible .entry unknown(.param .u64 address)
{
  frobnicate.u32 %r1;
}
"""
SHAPED = """
.visible .entry shaped()
.maxntid 128, 1, 1
{
  .shared .align 4 .b8 own[1024];
  ret;
}
"""


@pytest.fixture(name="driver")
def new_driver():
    driver = Driver()
    yield driver
    driver.library.virtual_gpu_recover()
    driver.library.virtual_gpu_take_complaints()


def complaints(driver):
    take = driver.library.virtual_gpu_take_complaints
    take.restype = c_char_p
    return take().decode()


def set_(driver, name, value):
    assert driver.library.virtual_gpu_set(name.encode(), ctypes.c_long(value)) == 1


# Memory.


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
    set_(driver, "dirty", 1)
    try:
        address = driver.make("cuMemAlloc_v2", c_size_t(16))
    finally:
        set_(driver, "dirty", 0)
    np.testing.assert_array_equal(driver.values(address, 4), 0xFFFFFFFF)


def test_memory_in_rows(driver):
    pitch, width, rows = 64, 20, 3
    address = driver.array(np.zeros(pitch * rows, np.uint8))
    driver.cuMemsetD2D8Async(
        address, c_size_t(pitch), 5, c_size_t(width), c_size_t(rows), NULL
    )
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


# Errors.


@pytest.mark.parametrize(
    ("kernel", "error", "code"),
    [
        ("store", "CUDA_ERROR_ILLEGAL_ADDRESS", 700),
        ("misaligned", "CUDA_ERROR_MISALIGNED_ADDRESS", 716),
        ("fail", "CUDA_ERROR_LAUNCH_FAILED", 719),
    ],
)
def test_faults_stay(driver, kernel, error, code):
    """The launch returns, what waits for it says what happened, and so does all that comes after."""
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
    assert name in complaints(driver)
    driver.library.virtual_gpu_recover()
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


def test_launch_that_takes_too_long(driver):
    endless = ".visible .entry endless()\n{\nagain:\n bra again;\n}\n"
    function = driver.function(endless, "endless")
    set_(driver, "steps", 1)
    try:
        driver.launch(function)
        with pytest.raises(CudaError, match="LAUNCH_TIMEOUT"):
            driver.cuCtxSynchronize()
    finally:
        set_(driver, "steps", 0)


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
    assert complaints(driver) == "cuTexObjectCreate is not there\n"


# Launches and modules.


@pytest.mark.parametrize(
    "shape",
    [
        {"grid": (0,)},
        {"grid": (1, 65536)},
        {"grid": (1, 1, 65536)},
        {"block": (0,)},
        {"block": (1, 1, 65)},
        {"block": (2048,)},
        {"block": (129,)},  # more than the kernel says that it is for
        {"shared": (48 << 10) - 1024 + 1},  # with what the kernel has itself
    ],
)
def test_shapes_that_no_launch_has(driver, shape):
    function = driver.function(SHAPED, "shaped")
    driver.launch(function, block=(128,), shared=(48 << 10) - 1024)
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.launch(function, **shape)
    driver.cuCtxSynchronize()


def test_more_shared_memory_is_asked_for(driver):
    function = driver.function(SHAPED, "shaped")
    most, attribute = c_int(), c_int(8)  # MAX_DYNAMIC_SHARED_SIZE_BYTES
    driver.cuDeviceGetAttribute(byref(most), 97, 0)  # MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    assert most.value == 163 << 10
    with pytest.raises(CudaError, match="INVALID_VALUE"):
        driver.cuFuncSetAttribute(function, attribute, most)
    driver.cuFuncSetAttribute(function, attribute, c_int(most.value - 1024))
    driver.launch(function, shared=most.value - 1024)
    driver.cuCtxSynchronize()


def test_arguments_in_a_buffer(driver):
    address = driver.array(np.zeros(4, np.uint32))
    function = driver.function(INCREMENT, "increment")
    buffer = ctypes.create_string_buffer(struct.pack("Qi", address.value, 5))
    for size, is_enough in ((12, True), (8, False)):
        length = c_size_t(size)
        extra = (c_void_p * 5)(
            1, ctypes.addressof(buffer), 2, ctypes.addressof(length), 0
        )
        shape = map(c_uint, (1, 1, 1, 4, 1, 1, 0))
        if is_enough:
            driver.cuLaunchKernel(function, *shape, NULL, NULL, extra)
        else:
            with pytest.raises(CudaError, match="INVALID_VALUE"):
                driver.cuLaunchKernel(function, *shape, NULL, NULL, extra)
    np.testing.assert_array_equal(driver.values(address, 4), 5)


def test_kernel_that_cannot_be_run(driver):
    """It says so when it is launched; the others of its module can be."""
    module = driver.module(FAULTS)
    function = driver.make("cuModuleGetFunction", module, b"unknown")
    address = driver.array(np.zeros(4, np.uint32))
    with pytest.raises(CudaError, match="INVALID_PTX"):
        driver.launch(function, address)
    said = complaints(driver)
    assert "unknown" in said
    assert "frobnicate" in said
    driver.launch(driver.make("cuModuleGetFunction", module, b"store"), address)
    assert driver.values(address, 1)[0] == 1


def test_text_that_is_no_module(driver):
    with pytest.raises(CudaError, match="INVALID_PTX"):
        driver.make("cuModuleLoadData", b"this is no PTX")
    assert "cannot be loaded" in complaints(driver)


def test_names_that_a_module_does_not_have(driver):
    module = driver.module(INCREMENT + ".global .align 4 .u32 number = 7;")
    for call in ("cuModuleGetFunction", "cuModuleGetGlobal_v2"):
        rest = (module, b"decrement") if call == "cuModuleGetFunction" else (NULL, module, b"none")
        with pytest.raises(CudaError, match="NOT_FOUND"):
            driver.make(call, *rest)
    size = c_size_t()
    address = driver.make("cuModuleGetGlobal_v2", byref(size), module, b"number")
    assert size.value == 4
    assert driver.values(address, 1)[0] == 7
    function = driver.make("cuModuleGetFunction", module, b"increment")
    driver.cuModuleUnload(module)
    with pytest.raises(CudaError, match="INVALID_HANDLE"):
        driver.launch(function, address, c_uint(1))


def entry(text, architecture, flags=0, compressed=None):
    """Of a fat binary."""
    text = text.encode() + b"\0"
    data = text if compressed is None else compressed(text)
    padded = data + bytes(-len(data) % 8)
    header = struct.pack(
        "<HHIQIIIIQQQQ",
        *(1, 0x101, 64, len(padded), len(data), 0, 0, architecture, 0, flags, 0, len(text)),
    )
    return header + padded


def fat_binary(*entries):
    entries = b"".join(entries)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(entries)) + entries


def lz4(data):
    """Nothing but literals, and one repetition to end with: of the last four bytes but four."""
    head, length = data, len(data) - 15
    return b"\xf0" + b"\xff" * (length // 255) + bytes([length % 255]) + head


def zstd(data):
    library = ctypes.CDLL("libzstd.so.1")
    room = ctypes.create_string_buffer(len(data) + 1000)
    library.ZSTD_compress.restype = c_size_t
    size = library.ZSTD_compress(
        room, c_size_t(len(room)), data, c_size_t(len(data)), c_int(3)
    )
    return room.raw[:size]


@pytest.mark.parametrize(
    ("flags", "compressed"), [(0, None), (0x2000, lz4), (0x8000, zstd)], ids=["plain", "lz4", "zstd"]
)
def test_fat_binaries(driver, flags, compressed):
    """The PTX for the highest architecture that the device knows; others' is left alone."""
    texts = {
        architecture: HEADER + f".visible .entry of_{architecture}()\n{{\n ret;\n}}\n"
        for architecture in (70, 80, 90)
    }
    image = fat_binary(*(entry(text, of, flags, compressed) for of, text in texts.items()))
    module = driver.make("cuModuleLoadData", image)
    driver.launch(driver.make("cuModuleGetFunction", module, b"of_80"))
    driver.cuCtxSynchronize()
    for other in (b"of_70", b"of_90"):
        with pytest.raises(CudaError, match="NOT_FOUND"):
            driver.make("cuModuleGetFunction", module, other)
    with pytest.raises(CudaError, match="NO_BINARY_FOR_GPU"):
        driver.make("cuModuleLoadData", fat_binary(entry(texts[90], 90, flags, compressed)))
