"""The runtime over the virtual driver: what nvcc's host code tells it, launches, errors."""

import ctypes
from ctypes import Structure, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p

import numpy as np
import pytest
from cuda_driver import HEADER, INCREMENT, NULL

INVALID_VALUE, INVALID_CONFIGURATION, INVALID_SYMBOL, INVALID_FUNCTION = 1, 9, 13, 98
TO_DEVICE, TO_HOST = 1, 2


class Wrapper(Structure):
    _fields_ = [("magic", c_uint), ("version", c_uint), ("data", c_char_p), ("unused", c_void_p)]


class Shape(Structure):
    _fields_ = [("x", c_uint), ("y", c_uint), ("z", c_uint)]


class Attributes(Structure):
    _fields_ = [
        ("shared_bytes", c_size_t),
        ("constant_bytes", c_size_t),
        ("local_bytes", c_size_t),
        ("most_threads", c_int),
        ("others", c_int * 32),
    ]


class Runtime:
    """One function and one variable of the host stand for the device's."""

    def __init__(self):
        self.library = ctypes.CDLL("libcudart.so.12")
        self.library.cudaGetErrorString.restype = c_char_p
        self.library.cudaGetErrorName.restype = c_char_p
        self.library.__getattr__("__cudaRegisterFatBinary").restype = c_void_p
        text = HEADER + INCREMENT + ".global .align 4 .u32 number = 7;\n"
        self.wrapper = Wrapper(0x466243B1, 1, text.encode(), None)
        self.image = c_void_p(self.call("__cudaRegisterFatBinary", byref(self.wrapper)))
        self.increment, self.number = (ctypes.create_string_buffer(1) for _ in range(2))
        name = b"increment"
        self.call("__cudaRegisterFunction", self.image, self.increment, NULL, name, -1, *[NULL] * 5)
        self.call("__cudaRegisterVar", self.image, self.number, NULL, b"number", 0, 4, 0, 0)
        self.call("__cudaRegisterFatBinaryEnd", self.image)

    def call(self, name, *arguments):
        return getattr(self.library, name)(*arguments)

    def launch(self, function, address, by, block=(4, 1, 1), shared=0):
        arguments = (address, c_uint(by))
        pointers = (c_void_p * 2)(*(ctypes.addressof(each) for each in arguments))
        shapes = Shape(1, 1, 1), Shape(*block)
        return self.call("cudaLaunchKernel", function, *shapes, pointers, c_size_t(shared), NULL)


@pytest.fixture(name="runtime")
def new_runtime():
    runtime = Runtime()
    yield runtime
    runtime.call("cudaDeviceSynchronize")
    runtime.call("__cudaUnregisterFatBinary", runtime.image)
    runtime.call("cudaGetLastError")
    assert runtime.launch(runtime.increment, NULL, 1) == INVALID_FUNCTION
    runtime.call("cudaGetLastError")


@pytest.fixture(name="numbers")
def four_numbers(runtime):
    address = c_void_p()
    assert runtime.call("cudaMalloc", byref(address), c_size_t(16)) == 0
    assert runtime.call("cudaMemset", address, 0, c_size_t(16)) == 0
    yield address
    assert runtime.call("cudaFree", address) == 0


def values(runtime, address):
    numbers = np.empty(4, np.uint32)
    pointer = numbers.ctypes.data_as(c_void_p)
    assert runtime.call("cudaMemcpy", pointer, address, c_size_t(16), TO_HOST) == 0
    return numbers


def test_launch(runtime, numbers):
    assert runtime.launch(runtime.increment, numbers, 5) == 0
    np.testing.assert_array_equal(values(runtime, numbers), 5)


def test_launch_between_angle_brackets(runtime, numbers):
    """What nvcc makes of it: the shape is put away, and taken by the function's host code."""
    push, pop = "__cudaPushCallConfiguration", "__cudaPopCallConfiguration"
    runtime.call(push, Shape(3, 2, 1), Shape(4, 1, 1), c_size_t(64), c_void_p(2))
    grid, block, shared, stream = Shape(), Shape(), c_size_t(), c_void_p()
    assert runtime.call(pop, byref(grid), byref(block), byref(shared), byref(stream)) == 0
    assert (grid.x, grid.y, block.x, shared.value, stream.value) == (3, 2, 4, 64, 2)
    assert runtime.call(pop, byref(grid), byref(block), byref(shared), byref(stream)) == 52
    kernel = c_void_p()
    assert runtime.call("__cudaGetKernel", byref(kernel), runtime.increment) == 0
    arguments = (numbers, c_uint(2))
    pointers = (c_void_p * 2)(*(ctypes.addressof(each) for each in arguments))
    shapes = Shape(1, 1, 1), Shape(4, 1, 1)
    assert runtime.call("__cudaLaunchKernel", kernel, *shapes, pointers, c_size_t(0), NULL) == 0
    np.testing.assert_array_equal(values(runtime, numbers), 2)


def test_errors_are_remembered_once(runtime, numbers):
    unknown = ctypes.create_string_buffer(1)
    for result, error in (
        (runtime.launch(unknown, numbers, 1), INVALID_FUNCTION),
        (runtime.launch(runtime.increment, numbers, 1, block=(1025, 1, 1)), INVALID_CONFIGURATION),
        (runtime.launch(runtime.increment, numbers, 1, block=(0, 1, 1)), INVALID_CONFIGURATION),
        (runtime.launch(runtime.increment, numbers, 1, shared=1 << 20), INVALID_VALUE),
    ):
        assert result == error
    assert runtime.call("cudaMemset", numbers, 0, c_size_t(17)) == INVALID_VALUE
    for expected in (INVALID_VALUE, INVALID_VALUE):
        assert runtime.call("cudaPeekAtLastError") == expected
    assert runtime.call("cudaGetLastError") == INVALID_VALUE
    assert runtime.call("cudaGetLastError") == 0


def test_variables(runtime):
    seen = c_uint()
    size, nothing = c_size_t(4), c_size_t(0)
    args = (byref(seen), runtime.number, size, nothing, TO_HOST)
    assert runtime.call("cudaMemcpyFromSymbol", *args) == 0
    assert seen.value == 7
    value = c_uint(9)
    args = (runtime.number, byref(value), size, nothing, TO_DEVICE)
    assert runtime.call("cudaMemcpyToSymbol", *args) == 0
    assert runtime.call("cudaMemcpyFromSymbol", byref(seen), *args[:1], size, nothing, TO_HOST) == 0
    assert seen.value == 9
    beyond = (runtime.number, byref(value), c_size_t(8), nothing, TO_DEVICE)
    assert runtime.call("cudaMemcpyToSymbol", *beyond) == INVALID_VALUE
    address = c_void_p()
    assert runtime.call("cudaGetSymbolAddress", byref(address), runtime.increment) == INVALID_SYMBOL


def test_attributes(runtime):
    attributes = Attributes()
    assert runtime.call("cudaFuncGetAttributes", byref(attributes), runtime.increment) == 0
    assert (attributes.shared_bytes, attributes.most_threads) == (0, 1024)
    unknown = ctypes.create_string_buffer(1)
    assert runtime.call("cudaFuncGetAttributes", byref(attributes), unknown) == INVALID_FUNCTION


def test_names_and_texts(runtime):
    name, text = runtime.library.cudaGetErrorName, runtime.library.cudaGetErrorString
    assert (name(0), text(0)) == (b"cudaSuccess", b"no error")
    assert (name(98), text(98)) == (b"cudaErrorInvalidDeviceFunction", b"invalid device function")
    assert (name(900), text(900)) == (
        b"cudaErrorStreamCaptureUnsupported",
        b"operation not permitted when stream is capturing",
    )
    assert name(98765) == text(98765) == b"unrecognized error code"


def test_capture_and_replay(runtime, numbers):
    stream, graph, instance = c_void_p(), c_void_p(), c_void_p()
    status = c_int()
    assert runtime.call("cudaStreamCreate", byref(stream)) == 0
    assert runtime.call("cudaStreamBeginCapture", stream, 0) == 0
    assert runtime.call("cudaStreamIsCapturing", stream, byref(status)) == 0
    assert status.value == 1
    arguments = (numbers, c_uint(3))
    pointers = (c_void_p * 2)(*(ctypes.addressof(each) for each in arguments))
    shapes = Shape(1, 1, 1), Shape(4, 1, 1)
    increment = runtime.increment
    # The image is loaded by this launch, which a capture does not forbid.
    args = (increment, *shapes, pointers, c_size_t(0), stream)
    assert runtime.call("cudaLaunchKernel", *args) == 0
    assert runtime.call("cudaStreamEndCapture", stream, byref(graph)) == 0
    assert runtime.call("cudaGraphInstantiate", byref(instance), graph, ctypes.c_uint64(0)) == 0
    assert runtime.call("cudaGraphDestroy", graph) == 0
    for _ in range(3):
        assert runtime.call("cudaGraphLaunch", instance, stream) == 0
    assert runtime.call("cudaStreamSynchronize", stream) == 0
    np.testing.assert_array_equal(values(runtime, numbers), 9)
    assert runtime.call("cudaGraphExecDestroy", instance) == 0
    assert runtime.call("cudaStreamDestroy", stream) == 0
