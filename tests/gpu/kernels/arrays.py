"""NumPy arrays on the device and back, with PyTorch or else CuPy."""

import ml_dtypes
import numpy as np
import virtual_gpu

try:
    import torch
except ImportError:
    torch = None
try:
    import cupy
except ImportError:
    cupy = None


def library():
    """The name of the one in use, or an empty string."""
    return "torch" if torch else "cupy" if cupy else ""


def takes(dtype):
    """Whether it has arrays of this type: CuPy has no bfloat16, its look-alike has."""
    return bool(torch) or dtype != "bfloat16" or virtual_gpu.is_here()


def to_device(array, offset=0):
    """On the device, its first element `offset` elements behind a multiple of 256 bytes."""
    array = np.ascontiguousarray(array)
    flat = np.concatenate([np.zeros(offset, array.dtype), array.ravel()])
    if torch:
        if array.dtype == ml_dtypes.bfloat16:
            on_device = torch.from_numpy(flat.view(np.int16)).cuda().view(torch.bfloat16)
        else:
            on_device = torch.from_numpy(flat).cuda()
    else:
        on_device = cupy.asarray(flat)
    return on_device[offset:].reshape(array.shape)


def to_host(array):
    if not torch:
        return cupy.asnumpy(array)
    if array.dtype == torch.bfloat16:
        return array.contiguous().view(torch.int16).cpu().numpy().view(ml_dtypes.bfloat16)
    return array.cpu().numpy()


def synchronize():
    if torch:
        torch.cuda.synchronize()
    else:
        cupy.cuda.Device().synchronize()


def ones(shape, dtype="float32"):
    if torch:
        return torch.ones(shape, dtype=getattr(torch, dtype), device="cuda")
    return cupy.ones(shape, dtype)


def copy_into(array, values):
    """What the host has, into an array that is there."""
    array[...] = to_device(values)


def stream_of_its_own():
    """A context in which what is called runs on another stream than what other threads call."""
    if torch:
        return torch.cuda.stream(torch.cuda.Stream())
    return cupy.cuda.Stream(non_blocking=True)


def captured(step):
    """A function that replays a graph of the step, and the arrays that it writes."""
    with stream_of_its_own():
        step()
    synchronize()
    if torch:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results = step()
        launch = graph.replay
    else:
        # What the step lets go of stays the graph's.
        pool = cupy.cuda.MemoryPool()
        stream = cupy.cuda.Stream(non_blocking=True)
        with cupy.cuda.using_allocator(pool.malloc), stream:
            stream.begin_capture()
            results = step()
            graph = stream.end_capture()

        def launch():
            graph.launch(stream)

    def replay():
        launch()
        synchronize()

    replay.memory = None if torch else pool

    return replay, results


def dirty_the_memory(bytes_=1 << 26):
    """What is allocated next is likely to be full of this."""
    if torch:
        torch.full((bytes_,), 0xFF, dtype=torch.uint8, device="cuda")
    elif not virtual_gpu.is_here():  # which has a setting for it
        cupy.full(bytes_, 0xFF, "uint8")
