"""The custom calls under `range_mean`, and what `jax.vmap` makes of them.

A call has one pair of bounds. Many slices with the same one are a call of more groups: along the
same axis, counted from the back; or, of slices that are each one group, of as many rows. Slices
with bounds of their own are calls one after the other.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap

from tailops import _kernels
from tailops.jax import _groups
from tailops.jax._groups import Groups
from tailops.jax._slices import as_rows, like_rows, one_by_one, slices
from tailops.jax._targets import register, undifferentiated, varying_as

_FORWARD, _BACKWARD = "tailops_range_mean", "tailops_range_mean_grad"
register(_FORWARD, _BACKWARD)


def groups_of(
    shape: tuple[Any, ...], axis: int | None, kind: str = _kernels.RANGE_KINDS[0]
) -> Groups:
    """Groups along the axis; ValueError if there is no such axis or kind, or nothing along it."""
    options = _kernels.RangeOptions(kind, axis)
    return _groups.groups_of(shape, axis, lambda known: _kernels.range_geometry(known, options))


def attributes_of(kind: str, axis: int | None) -> dict[str, Any]:
    """Those of csrc/xla/range_mean/handlers.h."""
    place = {"kind": np.int64(_kernels.RANGE_KINDS.index(kind))}
    return place if axis is None else place | {"axis": np.int64(axis)}


@functools.cache
def _forward_call(kind: str, axis: int | None) -> Any:
    @custom_vmap  # type: ignore[untyped-decorator]
    def call(values: Any, words: Any, others: Any) -> Any:
        groups = groups_of(values.shape, axis)
        results = (
            jax.ShapeDtypeStruct(groups.shape, values.dtype),
            jax.ShapeDtypeStruct((groups.count, 2 * _kernels.RANGE_COLUMNS), jnp.uint32),
        )
        arguments = values, words, *others
        made = jax.ffi.ffi_call(_FORWARD, results)
        return tuple(varying_as(arguments, made(*arguments, **attributes_of(kind, axis))))

    @call.def_vmap  # type: ignore[untyped-decorator]
    def _(size: int, batched: Any, values: Any, words: Any, others: Any) -> Any:
        if batched[1]:
            found = one_by_one(call, tuple(batched), (values, words, others))
            return found, (True, True)
        values, others = slices(size, (batched[0], batched[2]), (values, others))
        of_all = _forward_call(kind, -1 if axis is None else axis)
        mean, state = of_all(as_rows(values, axis), words, like_rows(others, values, axis))
        groups = groups_of(values.shape[1:], axis).count
        return (mean, state.reshape(size, groups, state.shape[-1])), (True, True)

    return call


@functools.cache
def _backward_call(kind: str, axis: int | None) -> Any:
    @custom_vmap  # type: ignore[untyped-decorator]
    def call(upstream: Any, values: Any, state: Any, mask: Any) -> Any:
        result = jax.ShapeDtypeStruct(values.shape, values.dtype)
        arguments = upstream, values, state, *mask
        made = jax.ffi.ffi_call(_BACKWARD, result)
        return varying_as(arguments, made(*arguments, **attributes_of(kind, axis)))

    @call.def_vmap  # type: ignore[untyped-decorator]
    def _(size: int, batched: Any, *arguments: Any) -> Any:
        upstream, values, state, mask = slices(size, tuple(batched), arguments)
        of_all = _backward_call(kind, -1 if axis is None else axis)
        state = state.reshape(size * state.shape[1], state.shape[2])
        slope = of_all(upstream, as_rows(values, axis), state, as_rows(mask, axis))
        return slope.reshape(values.shape), True

    return call


def _from_the_back(kind: str, values: Any, axis: int | None) -> int | None:
    """The axis, which may then have any number of others in front; ValueError if it is none."""
    groups_of(values.shape, axis, kind)
    return axis if axis is None or axis < 0 else axis - values.ndim


def forward(values: Any, words: Any, others: Any, kind: str, axis: int | None) -> tuple[Any, Any]:
    """The means, and the state for `backward`: each of its numbers as two uint32.

    Args:
        values: An array.
        words: The bounds, each of them as well.
        others: A mask, or weights, which may have one more axis of words; a tuple of one or none.
        kind: Of the bounds.
        axis: Along which; None: over all elements.
    """
    call = _forward_call(kind, _from_the_back(kind, values, axis))
    mean, state = undifferentiated(call, values, words, others)
    return mean, state


def backward(upstream: Any, values: Any, state: Any, mask: Any, kind: str, axis: int | None) -> Any:
    """The gradient of Σ upstream · mean by values, of weighted ones to be multiplied by those."""
    call = _backward_call(kind, _from_the_back(kind, values, axis))
    return undifferentiated(call, upstream, values, state, mask)
