"""JAX's arrays, as the shared checks of `tailops._inputs` ask for them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops._checks import require_dense


def _of_either(name: str) -> Callable[..., Any]:
    """NumPy's function of its own arrays, of which JAX may round the float64; else JAX's."""

    def function(array: Any, *arguments: Any) -> Any:
        are_sizes_known = all(isinstance(size, int) for size in jax.tree.leaves(arguments))
        is_numpys = isinstance(array, np.ndarray) and are_sizes_known
        return getattr(np if is_numpys else jnp, name)(array, *arguments)

    return function


tensor = jnp.asarray
expand_dims, reshape, transpose, broadcast_to = map(
    _of_either, ("expand_dims", "reshape", "transpose", "broadcast_to")
)
squeeze, ones_like = jnp.squeeze, jnp.ones_like
is_nan, where = jnp.isnan, jnp.where
total, any_along = jnp.sum, jnp.any


def dtype_of(argument: str, values: Any) -> str:
    """The name of the dtype; TypeError unless they are dense."""
    require_dense(argument, values)
    dtype = getattr(values, "dtype", None)
    return np.dtype(np.asarray(values).dtype if dtype is None else dtype).name


def cast(values: jax.Array, dtype: Any) -> jax.Array:
    """The values in this dtype."""
    return values.astype(dtype)


def same_shape(a: jax.Array, b: jax.Array) -> bool:
    """Whether they are of one shape."""
    return bool(a.shape == b.shape)


def differs(values: jax.Array, value: float) -> jax.Array:
    """Where they are not this value, in their own dtype."""
    return values != jnp.asarray(value, values.dtype)


def divide_no_nan(a: Any, b: Any) -> jax.Array:
    """0 where b is."""
    nothing = b == 0
    return jnp.where(nothing, 0, a / jnp.where(nothing, 1, b))


def sizes(x: jax.Array) -> list[int]:
    """Of every axis."""
    return list(x.shape)


def known_axis(axis: Any) -> Any:
    """What an array holds, as Python has it; all else as it is."""
    if isinstance(axis, jax.core.Tracer):
        raise TypeError("axis is a tracer: must be an integer, a tuple of integers or None")
    return axis.tolist() if isinstance(axis, jax.Array | np.ndarray | np.generic) else axis


def known_number(scalar: jax.Array) -> float | None:
    """What it holds; None of a tracer."""
    return None if isinstance(scalar, jax.core.Tracer) else float(scalar)


def wide(scalar: jax.Array) -> jax.Array:
    """In float64 in JAX's x64 mode, else in float32."""
    return scalar.astype(jnp.result_type(float))


def numbers(*scalars: Any) -> Any:
    """As they are: of Python's, the kernels get all of float64, whatever the mode."""
    return scalars
