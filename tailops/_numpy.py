"""Arrays as the kernels take them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mask_like(
    mask: ArrayLike | None, shape: tuple[int, ...], like: str
) -> NDArray[np.bool_] | None:
    if mask is None:
        return None
    kept = np.asarray(mask, order="C")
    if kept.dtype != np.bool_ or kept.shape != shape:
        raise ValueError(f"mask is {kept.dtype.name}{kept.shape}: must be bool{shape}, like {like}")
    return kept


def weights_like(
    weights: ArrayLike | None, shape: tuple[int, ...], like: str
) -> NDArray[np.floating] | None:
    if weights is None:
        return None
    given = np.asarray(weights, order="C")
    if given.dtype.kind not in "fiu" or given.shape != shape:
        raise ValueError(
            f"weights are {given.dtype.name}{given.shape}: must be real numbers{shape}, like {like}"
        )
    return given if given.dtype == np.float32 else given.astype(np.float64)


def output(
    out: NDArray[Any] | None, shape: tuple[int, ...], dtype: np.dtype[Any], like: str
) -> NDArray[Any]:
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(
            f"out is {out.dtype.name}{out.shape}: must be {dtype.name}{shape}, like {like}"
        )
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("out must be C-contiguous and writeable")
    return out


def thread_count(threads: int) -> int:
    if threads < 1:
        raise ValueError(f"threads={threads}: must be at least 1")
    return threads
