"""The CUDA runtime by ctypes."""

import ctypes
import threading

HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE = 1, 2, 3

_library = ctypes.CDLL("libcudart.so")
_library.cudaGetErrorString.restype = ctypes.c_char_p
# Each thread's current stream.
_current = threading.local()


def call(name, *arguments):
    status = getattr(_library, name)(*arguments)
    if status:
        raise RuntimeError(f"{name}: {_library.cudaGetErrorString(status).decode()}")


def current_stream():
    return getattr(_current, "stream", None)


def set_current_stream(stream):
    _current.stream = stream


def allocate(nbytes):
    pointer = ctypes.c_void_p()
    call("cudaMalloc", ctypes.byref(pointer), ctypes.c_size_t(nbytes))
    return pointer.value


def free(pointer):
    """Says nothing of a device that has failed: whoever asks it next is told."""
    _library.cudaFree(ctypes.c_void_p(pointer))


def copy(to, source, nbytes, kind):
    """In the order of the current stream; what the host reads or lends, it waits for."""
    stream = ctypes.c_void_p(getattr(current_stream(), "ptr", 0))
    pointers = ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(nbytes)
    call("cudaMemcpyAsync", *pointers, kind, stream)
    if kind != DEVICE_TO_DEVICE:
        call("cudaStreamSynchronize", stream)
