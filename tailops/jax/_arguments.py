"""What users pass to a selection, checked where it is known, and as an array."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops._checks import FLOATING, INTEGERS, require_dense
from tailops._quantiles import hundredths, known_fractions, require_in_range
from tailops._weights import known_weights
from tailops.jax import _arrays


def is_traced(value: Any) -> bool:
    """Whether a tracer is in it, or a variable, which may have one."""
    leaves = jax.tree.leaves(value)
    return any(isinstance(x, jax.core.Tracer) or hasattr(x, "__jax_array__") for x in leaves)


def real(argument: str, values: Any, *more: str) -> jax.Array:
    """An array of real numbers, or of one of these dtypes; TypeError for others."""
    array = jnp.asarray(values) if is_traced(values) else values
    dtype, allowed = _arrays.dtype_of(argument, array), (*FLOATING, *INTEGERS, *more)
    if dtype not in allowed:
        raise TypeError(f"{argument} of dtype {dtype}: must be one of {', '.join(allowed)}")
    return jnp.asarray(array)


def floating(argument: str, values: Any) -> jax.Array:
    """The same; integers and booleans in JAX's own float."""
    array = real(argument, values, "bool")
    is_floating = jnp.issubdtype(array.dtype, jnp.floating)
    return array if is_floating else array.astype(jnp.result_type(float))


def whole_number(argument: str, value: Any, low: int, high: Any) -> Any:
    """A scalar integer, in [low, high] if it is known, and `high` is."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        known = int(value)
    else:
        dtype = _arrays.dtype_of(argument, value)
        if dtype not in INTEGERS:
            raise TypeError(f"{argument} of dtype {dtype}: must be an integer")
        if np.shape(value) != ():
            raise ValueError(f"{argument} of shape {np.shape(value)}: must be a scalar")
        if is_traced(value):
            return jnp.asarray(value)
        known = int(np.asarray(value))
    require_in_range(argument, known, low, high if isinstance(high, int) else None)
    return known


def fractions(q: Any, whole: int = 1) -> Any:
    """Parts of a whole as fractions: NumPy's float64 where they are known, else traced.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is known to be out of range.
    """
    require_dense("q", q)
    if is_traced(q):
        traced = real("q", q)
        if whole == 1:
            return traced
        parts = _arrays.wide(traced)
        return hundredths(parts, jnp.finfo(parts.dtype).nmant + 1)
    return known_fractions(q, whole)


def as_weights(weights: Any) -> Any:
    """Real numbers, checked: NumPy's where they are known, else an array of JAX's.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is known to be negative or not finite.
    """
    require_dense("weights", weights)
    if isinstance(weights, jax.Array) or is_traced(weights):
        return real("weights", weights, "bool")
    return known_weights(weights)
