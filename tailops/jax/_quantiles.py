"""What the functions of `tailops.jax._selection` share: arguments as the call takes them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops import _kernels
from tailops._axes import as_one_axis, reduced_axes, with_kept_axes
from tailops._checks import FLOATING, INTEGERS, boolean, require_dense, require_one_of
from tailops._options import RANK_RULES
from tailops._quantiles import known_fractions, require_in_range
from tailops.jax import _arrays
from tailops.jax._range_mean import range_mean
from tailops.jax._select import select


def _is_traced(value: Any) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(value))


def real(argument: str, values: Any, *more: str) -> jax.Array:
    """An array of real numbers, or of one of these dtypes; TypeError for others."""
    array = jnp.asarray(values) if _is_traced(values) else values
    dtype, allowed = _arrays.dtype_of(argument, array), (*FLOATING, *INTEGERS, *more)
    if dtype not in allowed:
        raise TypeError(f"{argument} of dtype {dtype}: must be one of {', '.join(allowed)}")
    return jnp.asarray(array)


def floating(argument: str, values: Any) -> jax.Array:
    """The same; integers and booleans in JAX's own float."""
    array = real(argument, values, "bool")
    is_floating = jnp.issubdtype(array.dtype, jnp.floating)
    return array if is_floating else array.astype(jnp.result_type(float))


def whole_number(argument: str, value: Any, low: int, high: int) -> Any:
    """A scalar integer, in [low, high] if it is known."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        known = int(value)
    else:
        dtype = _arrays.dtype_of(argument, value)
        if dtype not in INTEGERS:
            raise TypeError(f"{argument} of dtype {dtype}: must be an integer")
        if np.shape(value) != ():
            raise ValueError(f"{argument} of shape {np.shape(value)}: must be a scalar")
        if _is_traced(value):
            return value
        known = int(np.asarray(value))
    require_in_range(argument, known, low, high)
    return known


def fractions(q: Any, whole: int = 1) -> Any:
    """Parts of a whole as fractions: NumPy's float64 where they are known, else traced.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is known to be out of range.
    """
    require_dense("q", q)
    if _is_traced(q):
        traced = real("q", q)
        return traced if whole == 1 else _arrays.wide(traced) / whole
    return known_fractions(q, whole)


def quantiles(
    x: Any, q: Any, axis: Any, method: str, keepdims: bool, ignore_nan: bool
) -> jax.Array:
    """The selection under every function of quantiles.

    Args:
        x: Real values, or booleans.
        q: Fractions, an array.
        axis: As NumPy has it.
        method: A rank rule.
        keepdims: Whether reduced axes stay.
        ignore_nan: Whether NaN is left out.
    """
    require_one_of("method", method, RANK_RULES)
    kept = boolean("keepdims", keepdims)
    may_interpolate = method in _kernels.INTERPOLATING_METHODS
    array = floating("x", x) if may_interpolate else real("x", x, "bool")
    axes = reduced_axes(_arrays, axis, array.ndim)
    is_boolean = array.dtype == jnp.bool_
    rows, one_axis = as_one_axis(_arrays, array.astype(jnp.uint8) if is_boolean else array, axes)
    value = select(rows, q if q.ndim < 2 else q.reshape(q.size), method, one_axis, ignore_nan)
    if q.ndim > 1:
        value = value.reshape(*q.shape, *value.shape[1:])
    if is_boolean:
        value = value.astype(jnp.bool_)
    return with_kept_axes(_arrays, value, axes, q.ndim) if kept else value


def mean_of_largest(x: Any, k: Any, axis: Any, keepdims: bool) -> jax.Array:
    """As `tailops.jax.top_k_mean`."""
    kept = boolean("keepdims", keepdims)
    array = floating("x", x)
    axes = reduced_axes(_arrays, axis, array.ndim)
    size = int(np.prod([array.shape[a] for a in axes], dtype=np.int64))
    number = whole_number("k", k, 1, size)
    rows, one_axis = as_one_axis(_arrays, array, axes)
    value: jax.Array = range_mean(rows, (number, 0.0), "largest", one_axis)
    return with_kept_axes(_arrays, value, axes, 0) if kept else value
