"""Launches, kernels and modules of the virtual driver."""

import ctypes
import struct
from ctypes import byref, c_int, c_size_t, c_uint, c_void_p

import numpy as np
import pytest
import virtual_gpu
from cuda_driver import FAULTS, HEADER, INCREMENT, NULL, CudaError, complaint_of

SHAPED = """
.visible .entry shaped()
.maxntid 128, 1, 1
{
  .shared .align 4 .b8 own[1024];
  ret;
}
"""


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
        extra = (c_void_p * 5)(1, ctypes.addressof(buffer), 2, ctypes.addressof(length), 0)
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
    assert "frobnicate" in complaint_of("the kernel unknown")
    driver.launch(driver.make("cuModuleGetFunction", module, b"store"), address)
    assert driver.values(address, 1)[0] == 1


def test_edited_kernel(driver):
    """The function stays the same and does something else, until the line is what it was."""
    address = driver.array(np.zeros(4, np.uint32))
    function = driver.function(INCREMENT.replace("increment", "edited"), "edited")
    lines = virtual_gpu.text("edited")
    line = next(i for i, text in enumerate(lines) if "add.s32" in text)
    with virtual_gpu.edited("edited", line, "sub.s32 %r3, %r3, %r1;"):
        driver.launch(function, address, c_uint(1), block=(4,))
        np.testing.assert_array_equal(driver.values(address, 4), np.uint32(-1 % 2**32))
    driver.launch(function, address, c_uint(1), block=(4,))
    np.testing.assert_array_equal(driver.values(address, 4), 0)
    with virtual_gpu.edited("edited", line, "this is no instruction"):
        with pytest.raises(CudaError, match="INVALID_PTX"):
            driver.launch(function, address, c_uint(1))
        assert complaint_of("the kernel edited")
    assert "edited" in virtual_gpu.kernels()


def test_text_that_is_no_module(driver):
    with pytest.raises(CudaError, match="INVALID_PTX"):
        driver.make("cuModuleLoadData", b"this is no PTX")
    assert complaint_of("cannot be loaded")


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
    """Literals and what was there before, wherever eight bytes were."""

    def length(value):
        return b"" if value < 15 else b"\xff" * ((value - 15) // 255) + bytes([(value - 15) % 255])

    packed, seen, at, begin = b"", {}, 0, 0
    while at < len(data) - 8:
        before = seen.setdefault(data[at : at + 8], at)
        if before == at:
            at += 1
            continue
        literals, match = data[begin:at], 8
        while at + match < len(data) - 8 and data[before + match] == data[at + match]:
            match += 1
        packed += bytes([min(len(literals), 15) << 4 | min(match - 4, 15)])
        packed += length(len(literals)) + literals
        packed += struct.pack("<H", at - before) + length(match - 4)
        at += match
        begin = at
    return (
        packed + bytes([min(len(data) - begin, 15) << 4]) + length(len(data) - begin) + data[begin:]
    )


def zstd(data):
    library = ctypes.CDLL("libzstd.so.1")
    room = ctypes.create_string_buffer(len(data) + 1000)
    library.ZSTD_compress.restype = c_size_t
    size = library.ZSTD_compress(room, c_size_t(len(room)), data, c_size_t(len(data)), c_int(3))
    return room.raw[:size]


@pytest.mark.parametrize(
    ("flags", "compressed"),
    [(0, None), (0x2000, lz4), (0x8000, zstd)],
    ids=["plain", "lz4", "zstd"],
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
    assert complaint_of("no PTX for the architecture 80")
