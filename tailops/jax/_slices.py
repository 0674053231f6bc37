"""What `jax.vmap` makes of a call's arguments."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def slices(size: int, batched: Any, arrays: Any) -> Any:
    """All with the mapped axis in front."""
    return jax.tree.map(
        lambda x, has: x if has else jnp.broadcast_to(x, (size, *x.shape)), arrays, batched
    )


def as_rows(arrays: Any, axis: int | None) -> Any:
    """Of slices that are one group each, a row for each."""
    if axis is not None:
        return arrays
    return jax.tree.map(lambda x: x.reshape(len(x), math.prod(x.shape[1:])), arrays)


def like_rows(arrays: Any, x: Any, axis: int | None) -> Any:
    """The same of arrays of which each has an element, or a vector, for each of x's."""
    if axis is not None:
        return arrays
    shape = len(x), math.prod(x.shape[1:])
    return jax.tree.map(lambda array: array.reshape(*shape, *array.shape[x.ndim :]), arrays)


def one_by_one(call: Callable[..., Any], batched: Any, arguments: Any) -> Any:
    """A call for each slice, in a loop of XLA's."""
    arrays, tree = jax.tree.flatten(arguments)
    mapped = jax.tree.leaves(batched)

    def of_slice(parts: Any) -> Any:
        part = iter(parts)
        return call(
            *tree.unflatten([next(part) if m else x for x, m in zip(arrays, mapped, strict=True)])
        )

    return jax.lax.map(of_slice, [x for x, m in zip(arrays, mapped, strict=True) if m])
