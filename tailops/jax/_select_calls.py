"""The custom calls under selection, and what `jax.vmap` makes of them.

A call has one set of q. Many slices with the same one are a call of more groups; many sets for one
array are a call of more q. Slices with q of their own are calls one after the other.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap

from tailops import _kernels
from tailops._options import RANK_RULES
from tailops.jax import _groups
from tailops.jax._groups import Groups
from tailops.jax._slices import as_rows, like_rows, one_by_one, slices
from tailops.jax._targets import register, undifferentiated, varying_as

METHODS = (*RANK_RULES, "rank", "rank_from_top")
"""The last two: q is itself a rank, from the smallest element or from the largest."""

_FORWARD, _BACKWARD = "tailops_select", "tailops_select_grad"
register(_FORWARD, _BACKWARD)

WORDS_OF_STATE = 2 * _kernels.SELECTION_COLUMNS
"""For each group and q."""


def groups_of(shape: tuple[Any, ...], axis: int | None) -> Groups:
    """Groups along the axis; ValueError if there is no such axis, or nothing along it."""
    options = _kernels.SelectionOptions(METHODS[0], False, axis)
    return _groups.groups_of(shape, axis, lambda known: _kernels.SelectionGeometry(known, options))


def _attributes(method: str, ignore_nan: bool, axis: int | None) -> dict[str, Any]:
    """Those of csrc/xla/quantile/handlers.h."""
    places = {"method": METHODS.index(method), "ignore_nan": int(ignore_nan)}
    if axis is not None:
        places["axis"] = axis
    return {name: np.int64(place) for name, place in places.items()}


@functools.cache
def _forward_call(method: str, ignore_nan: bool, axis: int | None) -> Any:
    @custom_vmap  # type: ignore[untyped-decorator]
    def call(x: Any, words: Any, weights: Any) -> Any:
        groups, q_shape = groups_of(x.shape, axis), words.shape[:-1]
        columns = WORDS_OF_STATE * math.prod(q_shape)
        results = (
            jax.ShapeDtypeStruct((*q_shape, *groups.shape), x.dtype),
            jax.ShapeDtypeStruct((groups.count, columns), jnp.uint32),
        )
        arguments = x, words, *weights
        made = jax.ffi.ffi_call(_FORWARD, results)
        attributes = _attributes(method, ignore_nan, axis)
        return tuple(varying_as(arguments, made(*arguments, **attributes)))

    def of_slices(size: int, x: Any, words: Any, weights: Any) -> Any:
        of_all = _forward_call(method, ignore_nan, -1 if axis is None else axis)
        value, state = of_all(as_rows(x, axis), words, like_rows(weights, x, axis))
        groups = groups_of(x.shape[1:], axis).count
        state = state.reshape(size, groups, state.shape[1])
        return jnp.moveaxis(value, words.ndim - 1, 0), state

    def of_sets(size: int, x: Any, words: Any, weights: Any) -> Any:
        q_shape = words.shape[1:-1]
        count = math.prod(q_shape)
        value, state = call(x, words.reshape(size * count, 2), weights)
        state = state.reshape(len(state), size, WORDS_OF_STATE * count)
        return value.reshape(size, *q_shape, *value.shape[1:]), jnp.moveaxis(state, 1, 0)

    @call.def_vmap  # type: ignore[untyped-decorator]
    def _(size: int, batched: Any, x: Any, words: Any, weights: Any) -> Any:
        of_elements = batched[0], batched[2]
        are_slices = any(jax.tree.leaves(of_elements))
        if are_slices and batched[1]:
            found = one_by_one(call, tuple(batched), (x, words, weights))
            return found, (True, True)
        if not are_slices:
            return of_sets(size, x, words, weights), (True, True)
        x, weights = slices(size, of_elements, (x, weights))
        return of_slices(size, x, words, weights), (True, True)

    return call


@functools.cache
def _backward_call(axis: int | None) -> Any:
    @custom_vmap  # type: ignore[untyped-decorator]
    def call(upstream: Any, x: Any, state: Any) -> Any:
        made = jax.ffi.ffi_call(_BACKWARD, jax.ShapeDtypeStruct(x.shape, x.dtype))
        attributes = _attributes(METHODS[0], False, axis)
        return varying_as((upstream, x, state), made(upstream, x, state, **attributes))

    @call.def_vmap  # type: ignore[untyped-decorator]
    def _(size: int, batched: Any, *arguments: Any) -> Any:
        upstream, x, state = slices(size, tuple(batched), arguments)
        groups = len(groups_of(x.shape[1:], axis).shape)
        of_all = _backward_call(-1 if axis is None else axis)
        slope = of_all(
            jnp.moveaxis(upstream, 0, upstream.ndim - 1 - groups),
            as_rows(x, axis),
            state.reshape(size * state.shape[1], state.shape[2]),
        )
        return slope.reshape(x.shape), True

    return call


def from_the_back(shape: tuple[int, ...], axis: int | None) -> int | None:
    """The axis, which may then have any number of others in front; ValueError if it is none."""
    groups_of(shape, axis)
    return axis if axis is None or axis < 0 else axis - len(shape)


def forward(
    x: Any, words: Any, weights: Any, method: str, axis: int | None, ignore_nan: bool
) -> tuple[Any, Any]:
    """The values, and the state for `backward`: for each group, each of its numbers as two uint32.

    Args:
        x: An array.
        words: The words of q, which is a scalar or a vector.
        weights: A tuple of one or none: of x's shape, or with one more axis of words.
        method: One of `METHODS`.
        axis: Along which, from the back; None: over all elements.
        ignore_nan: Whether NaN is left out.
    """
    value, state = _forward_call(method, ignore_nan, axis)(x, words, weights)
    return value, state


def backward(upstream: Any, x: Any, state: Any, axis: int | None) -> Any:
    """The gradient of Σ upstream · value by x."""
    return undifferentiated(_backward_call(axis), upstream, x, state)
