"""The device arrays of PyTorch and CuPy, as the kernels take them."""

from typing import Any

from tailops._build import build_info


class Torch:
    def __init__(self, name: str, like: Any) -> None:
        import torch

        self.like, self._torch, self._device = name, torch, like.device
        if like.device.type != "cuda":
            raise ValueError(f"{name} is on {like.device}: must be on a CUDA device")
        self.device = torch.cuda.device(like.device)

    def empty(self, shape: Any, dtype: str) -> Any:
        return self._torch.empty(shape, dtype=getattr(self._torch, dtype), device=self._device)

    def stream(self) -> int:
        return int(self._torch.cuda.current_stream(self._device).cuda_stream)

    def is_here(self, array: Any) -> bool:
        return isinstance(array, self._torch.Tensor) and array.device == self._device

    @staticmethod
    def dtype(array: Any) -> str:
        return str(array.dtype).removeprefix("torch.")

    @staticmethod
    def address(array: Any) -> int:
        return int(array.data_ptr())

    @staticmethod
    def is_contiguous(array: Any) -> bool:
        return bool(array.is_contiguous())


class CuPy:
    def __init__(self, name: str, like: Any) -> None:
        import cupy

        self.like, self._cupy, self.device = name, cupy, like.device

    def empty(self, shape: Any, dtype: str) -> Any:
        return self._cupy.empty(shape, dtype)

    def stream(self) -> int:
        return int(self._cupy.cuda.get_current_stream().ptr)

    def is_here(self, array: Any) -> bool:
        return isinstance(array, self._cupy.ndarray) and array.device == self.device

    @staticmethod
    def dtype(array: Any) -> str:
        return str(array.dtype.name)

    @staticmethod
    def address(array: Any) -> int:
        return int(array.data.ptr)

    @staticmethod
    def is_contiguous(array: Any) -> bool:
        return bool(array.flags.c_contiguous)


def require_cuda() -> None:
    if not build_info()["cuda"]:
        raise RuntimeError("tailops was built without CUDA: -C cmake.define.TAILOPS_CUDA=ON")


def library_of(name: str, array: Any) -> Any:
    """The array's library, on the array's device; errors call it by the name."""
    require_cuda()
    library = type(array).__module__.split(".")[0]
    if library not in {"torch", "cupy"}:
        raise TypeError(f"{name} is a {type(array).__name__}: must be of PyTorch or CuPy")
    return (Torch if library == "torch" else CuPy)(name, array)


def require(library: Any, name: str, array: Any, dtype: str, shape: tuple[int, ...]) -> int:
    """The address of an array of this dtype and shape, on the library's device."""
    if not library.is_here(array):
        raise ValueError(f"{name} is not an array on the device of {library.like}")
    found = library.dtype(array), tuple(array.shape)
    if found != (dtype, shape) or not library.is_contiguous(array):
        raise ValueError(f"{name} is {found[0]}{found[1]}: must be a contiguous {dtype}{shape}")
    return int(library.address(array))


def require_weights(library: Any, weights: Any, shape: tuple[int, ...]) -> tuple[int, bool]:
    """The address of weights of this shape, 0 for none, and whether they are float64."""
    if weights is None:
        return 0, False
    are_wide = library.dtype(weights) == "float64"
    dtype = "float64" if are_wide else "float32"
    return require(library, "weights", weights, dtype, shape), are_wide
