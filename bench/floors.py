"""The least that memory must do, as plain loops: read; and, for a gradient, write."""

from functools import partial
from typing import Any

import numpy as np

from bench.timing import Action
from tailops import _kernels

Array = np.ndarray[Any, Any]


def words(array: Array) -> Array:
    """The same memory as float32, whatever it holds, up to a rest."""
    flat = array.reshape(-1).view(np.uint8)
    return flat[: flat.size // 4 * 4].view(np.float32)


def read_one(array: Array, threads: int) -> Action:
    """As two halves."""
    flat = words(array)
    half = flat.size // 2
    return partial(_kernels.read_two, flat[:half], flat[half : 2 * half], threads)


def read_two(a: Array, b: Array, threads: int) -> Action:
    """What a loss must."""
    return partial(_kernels.read_two, words(a), words(b), threads)


def read_two_write_one(a: Array, b: Array, out: Array, threads: int) -> Action:
    """What a gradient must."""
    return partial(_kernels.read_two_write_one, words(a), words(b), words(out), threads)


def read_and_write(a: Array, b: Array, threads: int) -> Action:
    """What a loss and its gradient must: read both, then read them again and write one."""
    read = read_two(a, b, threads)
    write = read_two_write_one(a, b, np.full_like(a, 0), threads)

    def both() -> None:
        read()
        write()

    return both


def read_then_read_and_write(array: Array, threads: int) -> Action:
    """What the mean of some values and its gradient must: read, then read again and write."""
    read = read_one(array, threads)
    # The same array twice comes from memory once.
    write = read_two_write_one(array, array, np.full_like(array, 0), threads)

    def both() -> None:
        read()
        write()

    return both
