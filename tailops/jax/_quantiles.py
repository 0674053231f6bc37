"""What the functions of `tailops.jax._selection` share: from groups to results as asked for."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from tailops._axes import as_one_axis, reduced_axes, with_kept_axes
from tailops._checks import boolean
from tailops._quantiles import may_interpolate
from tailops._weights import weights_of_rows
from tailops.jax import _arrays
from tailops.jax._arguments import as_weights, floating, real, whole_number
from tailops.jax._range_mean import range_mean
from tailops.jax._select import select


def first_places(rows: Any, value: Any, axis: int | None, weights: Any = None) -> jax.Array:
    """Where along the axis each group has its first element equal to its value, for every q.

    With weights the first that counts.
    """
    if axis is None:
        rows, axis = rows.ravel(), 0
        weights = None if weights is None else weights.ravel()

    def place(of_one: Any) -> Any:
        looked_for = jnp.expand_dims(of_one, axis)
        found = rows == looked_for
        if weights is not None:
            found &= weights > 0
        return jnp.argmax(found | (jnp.isnan(rows) & jnp.isnan(looked_for)), axis)

    places: jax.Array = (jax.vmap if value.ndim == rows.ndim else lambda f: f)(place)(value)
    return places


def quantiles(
    x: Any,
    q: Any,
    axis: Any,
    method: str,
    keepdims: bool,
    ignore_nan: bool,
    return_indices: bool,
    weights: Any,
) -> Any:
    """The selection under every function of quantiles.

    Args:
        x: Real values, or booleans.
        q: Fractions, an array.
        axis: As NumPy has it.
        method: A rank rule.
        keepdims: Whether reduced axes stay.
        ignore_nan: Whether NaN is left out.
        return_indices: Whether places are returned, too.
        weights: How much each element counts; None: once.
    """
    interpolates = may_interpolate(method, return_indices, weights is not None)
    kept = boolean("keepdims", keepdims)
    array = floating("x", x) if interpolates else real("x", x, "bool")
    axes = reduced_axes(_arrays, axis, array.ndim)
    is_boolean = array.dtype == jnp.bool_
    rows, one_axis = as_one_axis(_arrays, array.astype(jnp.uint8) if is_boolean else array, axes)
    if weights is not None:
        weights = weights_of_rows(_arrays, as_weights(weights), array, axis, axes)
    flat = q if q.ndim < 2 else q.reshape(q.size)
    value = select(rows, flat, method, one_axis, ignore_nan, weights)

    def as_asked(found: jax.Array) -> jax.Array:
        if q.ndim > 1:
            found = found.reshape(*q.shape, *found.shape[1:])
        return with_kept_axes(_arrays, found, axes, q.ndim) if kept else found

    result = as_asked(value.astype(jnp.bool_) if is_boolean else value)
    if not return_indices:
        return result
    return result, as_asked(first_places(rows, value, one_axis, weights))


def mean_of_largest(x: Any, k: Any, axis: Any, keepdims: bool) -> jax.Array:
    """As `tailops.jax.top_k_mean`."""
    kept = boolean("keepdims", keepdims)
    array = floating("x", x)
    axes = reduced_axes(_arrays, axis, array.ndim)
    number = whole_number("k", k, 1, math.prod(array.shape[a] for a in axes))
    rows, one_axis = as_one_axis(_arrays, array, axes)
    value: jax.Array = range_mean(rows, (number, 0.0), "largest", one_axis)
    return with_kept_axes(_arrays, value, axes, 0) if kept else value
