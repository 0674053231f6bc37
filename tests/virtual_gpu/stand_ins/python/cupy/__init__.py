"""As much of CuPy as tailops.cuda and the GPU's tests use, over the CUDA runtime of this process.

Arrays are contiguous. Unlike CuPy's, they may be of any type that NumPy knows, bfloat16 too.
"""

import math

import numpy as np

from cupy import _runtime, cuda
from cupy._runtime import DEVICE_TO_DEVICE, DEVICE_TO_HOST, HOST_TO_DEVICE

__all__ = ["asarray", "asnumpy", "cuda", "empty", "full", "ndarray", "ones"]


class _Pointer:
    def __init__(self, ptr):
        self.ptr = ptr


class _Flags:
    c_contiguous = True


class ndarray:  # noqa: N801, its name in CuPy
    flags = _Flags()
    device = cuda.Device()

    def __init__(self, memory, address, shape, dtype):
        self._memory, self._address = memory, address
        self.shape, self.dtype = tuple(int(n) for n in shape), np.dtype(dtype)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: math.prod(self.shape))
    nbytes = property(lambda self: self.size * self.dtype.itemsize)
    data = property(lambda self: _Pointer(self._address))

    def reshape(self, shape):
        if math.prod(shape) != self.size:
            raise ValueError(f"{self.shape} cannot be {shape}")
        return ndarray(self._memory, self._address, shape, self.dtype)

    def ravel(self):
        return self.reshape((self.size,))

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, where):
        """`vector[start:]`, from there on."""
        if (
            self.ndim != 1
            or not isinstance(where, slice)
            or (where.stop, where.step) != (None,) * 2
        ):
            raise NotImplementedError(f"array[{where}] of {self.ndim} dimensions")
        start = min(where.start or 0, len(self))
        address = self._address + start * self.dtype.itemsize
        return ndarray(self._memory, address, (len(self) - start,), self.dtype)

    def __setitem__(self, where, values):
        """`array[...] = another`, by the current stream."""
        if where is not Ellipsis or (values.shape, values.dtype) != (self.shape, self.dtype):
            raise NotImplementedError(f"array[{where}] = {values.dtype}{values.shape}")
        _runtime.copy(self._address, values._address, self.nbytes, DEVICE_TO_DEVICE)


# What tailops.cuda tells the libraries by.
ndarray.__module__ = "cupy"


def empty(shape, dtype="float64"):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    dtype = np.dtype(dtype)
    memory = cuda.allocator()(math.prod(shape) * dtype.itemsize)
    return ndarray(memory, memory.ptr, shape, dtype)


def asarray(values):
    values = np.array(values, order="C")
    array = empty(values.shape, values.dtype)
    _runtime.copy(array._address, values.ctypes.data, values.nbytes, HOST_TO_DEVICE)
    return array


def asnumpy(array):
    values = np.empty(array.shape, array.dtype)
    _runtime.copy(values.ctypes.data, array._address, array.nbytes, DEVICE_TO_HOST)
    return values


def full(shape, value, dtype="float64"):
    return asarray(np.full(shape, value, dtype))


def ones(shape, dtype="float64"):
    return full(shape, 1, dtype)
