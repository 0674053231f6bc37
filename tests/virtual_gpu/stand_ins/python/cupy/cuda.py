"""Memory, the device, streams and graphs."""

import contextlib
import ctypes
import threading

from cupy._runtime import allocate, call, current_stream, free, set_current_stream

_allocators = threading.local()


class Memory:
    """Freed with the last array that refers to it."""

    def __init__(self, nbytes):
        self.ptr = allocate(max(1, nbytes))

    def __del__(self):
        free(self.ptr)


class MemoryPool:
    """What it has given stays allocated as long as it is there."""

    def __init__(self):
        self._given = []

    def malloc(self, nbytes):
        self._given.append(Memory(nbytes))
        return self._given[-1]


def allocator():
    return getattr(_allocators, "malloc", Memory)


@contextlib.contextmanager
def using_allocator(malloc):
    before = allocator()
    _allocators.malloc = malloc
    try:
        yield
    finally:
        _allocators.malloc = before


class Device:
    """The only one."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __eq__(self, other):
        return isinstance(other, Device)

    __hash__ = None

    def synchronize(self):
        call("cudaDeviceSynchronize")


class Graph:
    def __init__(self, graph):
        self._executable = ctypes.c_void_p()
        call("cudaGraphInstantiate", ctypes.byref(self._executable), graph, ctypes.c_ulonglong(0))
        call("cudaGraphDestroy", graph)

    def __del__(self):
        call("cudaGraphExecDestroy", self._executable)

    def launch(self, stream=None):
        call(
            "cudaGraphLaunch",
            self._executable,
            ctypes.c_void_p((stream or get_current_stream()).ptr),
        )


class Stream:
    """The current one within `with`."""

    def __init__(self, null=False, non_blocking=False):
        self.ptr = 0
        if null:
            return
        stream = ctypes.c_void_p()
        call("cudaStreamCreateWithFlags", ctypes.byref(stream), int(non_blocking))
        self.ptr = stream.value

    def __del__(self):
        if self.ptr:
            call("cudaStreamDestroy", ctypes.c_void_p(self.ptr))

    def __enter__(self):
        self._before = current_stream()
        set_current_stream(self)
        return self

    def __exit__(self, *_):
        set_current_stream(self._before)

    def synchronize(self):
        call("cudaStreamSynchronize", ctypes.c_void_p(self.ptr))

    def begin_capture(self):
        relaxed = 2
        call("cudaStreamBeginCapture", ctypes.c_void_p(self.ptr), relaxed)

    def end_capture(self):
        graph = ctypes.c_void_p()
        call("cudaStreamEndCapture", ctypes.c_void_p(self.ptr), ctypes.byref(graph))
        return Graph(graph)


def get_current_stream():
    return current_stream() or Stream(null=True)
