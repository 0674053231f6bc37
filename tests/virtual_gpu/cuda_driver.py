"""The CUDA driver from Python, as far as the tests of the virtual one need it."""

import ctypes
from ctypes import byref, c_int, c_size_t, c_uint, c_uint64, c_void_p

import numpy as np
import virtual_gpu

HOST_FUNCTION = ctypes.CFUNCTYPE(None, c_void_p)
NULL = c_void_p()

HEADER = ".version 7.8\n.target sm_80\n.address_size 64\n"

# Of one thread a number: the module's kernel `increment` adds `by` to each of them.
INCREMENT = """
.visible .entry increment(.param .u64 numbers, .param .u32 by)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  ld.param.u64 %rd1, [numbers];
  ld.param.u32 %r1, [by];
  mov.u32 %r2, %tid.x;
  mul.wide.u32 %rd2, %r2, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r3, [%rd3];
  add.s32 %r3, %r3, %r1;
  st.global.u32 [%rd3], %r3;
  ret;
}
"""


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
  .reg .b32 %r<2>;
  frobnicate.u32 %r1;
}
"""


class CudaError(Exception):
    """An error that an entry point has returned, by its name."""

    def __init__(self, code, name):
        super().__init__(f"{name} ({code})")
        self.code = code
        self.name = name


class Driver:
    """Entry points as methods: `driver.cuCtxSynchronize()`; what fails raises CudaError."""

    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")
        self.cuInit(0)
        context = c_void_p()
        self.cuDevicePrimaryCtxRetain(byref(context), 0)
        self.cuCtxSetCurrent(context)
        self.context = context

    def __getattr__(self, name):
        function = getattr(self.library, name)

        def call(*arguments):
            code = function(*arguments)
            if code != 0:
                raise CudaError(code, self.name_of(code))

        return call

    def name_of(self, code):
        text = ctypes.c_char_p()
        self.library.cuGetErrorName(code, byref(text))
        return text.value.decode() if text.value else f"error {code}"

    def make(self, name, *arguments):
        """What an entry point gives by a pointer, which it takes first."""
        made = c_void_p()
        getattr(self, name)(byref(made), *arguments)
        return made

    def stream(self, flags=1):
        """A stream of its own: not a blocking one, if not said."""
        return self.make("cuStreamCreate", flags)

    def module(self, text):
        """Of PTX; it gets a header where it has none."""
        header = "" if text.startswith(".version") else HEADER
        return self.make("cuModuleLoadData", (header + text).encode())

    def function(self, text, name):
        return self.make("cuModuleGetFunction", self.module(text), name.encode())

    def array(self, values):
        """On the device."""
        values = np.ascontiguousarray(values)
        address = self.make("cuMemAlloc_v2", c_size_t(values.nbytes))
        self.cuMemcpyHtoD_v2(address, values.ctypes.data_as(c_void_p), c_size_t(values.nbytes))
        return address

    def values(self, address, count, dtype=np.uint32):
        values = np.empty(count, dtype)
        size = c_size_t(values.nbytes)
        self.cuMemcpyDtoH_v2(values.ctypes.data_as(c_void_p), address, size)
        return values

    def launch(self, function, *arguments, grid=(1,), block=(1,), shared=0, stream=NULL):
        grid, block = ((*shape, 1, 1)[:3] for shape in (grid, block))
        pointers = (c_void_p * len(arguments))(*(ctypes.addressof(each) for each in arguments))
        sizes = map(c_uint, (*grid, *block, shared))
        self.cuLaunchKernel(function, *sizes, stream, pointers, NULL)


def kernel_parameters(function, *arguments, grid=(1,), block=(1,)):
    """CUDA_KERNEL_NODE_PARAMS; it keeps the arguments."""
    pointers = (c_void_p * len(arguments))(*(ctypes.addressof(each) for each in arguments))

    class Parameters(ctypes.Structure):
        _fields_ = [
            ("function", c_void_p),
            ("shape", c_uint * 7),
            ("arguments", c_void_p),
            ("extra", c_void_p),
            ("kernel", c_void_p),
            ("context", c_void_p),
        ]

    grid, block = ((*shape, 1, 1)[:3] for shape in (grid, block))
    shape = (c_uint * 7)(*grid, *block, 0)
    parameters = Parameters(function, shape, ctypes.cast(pointers, c_void_p), None, None, None)
    parameters.keep = pointers, arguments
    return parameters


def count_of(driver, graph):
    """Of a graph's nodes."""
    count = c_size_t()
    driver.cuGraphGetNodes(graph, NULL, byref(count))
    return count.value


def status_of(driver, stream):
    """Of a capture: 0, none; 1, it goes on; 2, it is invalid."""
    status = c_int()
    driver.cuStreamIsCapturing(stream, byref(status))
    return status.value


def complaint_of(words):
    """The only one, which has these words."""
    (complaint,) = virtual_gpu.take_complaints()
    assert words in complaint
    return complaint


def instantiate(driver, graph):
    return driver.make("cuGraphInstantiateWithFlags", graph, c_uint64(0))


def replay(driver, instance, stream, times=1):
    for _ in range(times):
        driver.cuGraphLaunch(instance, stream)
    driver.cuStreamSynchronize(stream)
