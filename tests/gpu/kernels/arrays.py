"""NumPy arrays on the device and back, with PyTorch or else CuPy."""

import ml_dtypes
import numpy as np

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


def captured(step):
    """A function that replays a graph of the step, and the arrays that it writes; PyTorch only."""
    with torch.cuda.stream(torch.cuda.Stream()):
        step()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = step()

    def replay():
        graph.replay()
        torch.cuda.synchronize()

    return replay, results


def dirty_the_memory(bytes_=1 << 26):
    """What is allocated next is likely to be full of this."""
    if torch:
        torch.full((bytes_,), 0xFF, dtype=torch.uint8, device="cuda")
    else:
        cupy.full(bytes_, 0xFF, "uint8")
