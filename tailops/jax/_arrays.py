"""JAX's arrays, as the shared checks of `tailops._inputs` ask for them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops._checks import require_dense

tensor = jnp.asarray
expand_dims, squeeze, ones_like = jnp.expand_dims, jnp.squeeze, jnp.ones_like
is_nan = jnp.isnan


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
