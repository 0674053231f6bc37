"""Linear maps that JAX transposes by a function of their own, under `jax.vmap` too."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def _nothing_of(x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Zeros that to JAX are linear in x; no work, once XLA has compiled it."""
    array = jnp.atleast_1d(x)
    none = array[(slice(0),) * array.ndim]
    return jnp.pad(none.ravel(), (0, math.prod(shape))).reshape(shape)


def linear_map(
    apply: Callable[[Any], Any],
    transpose: Callable[[Any], Any],
    direction: jax.Array,
    shape: tuple[int, ...],
) -> jax.Array:
    """What a linear map makes of a direction.

    JAX has one function with a transpose of its own that `jax.vmap` knows: the solution of a linear
    system. This takes the map A for one: of (direction, nothing) it is (nothing, A·direction). The
    system itself is asked for nothing but its shapes.

    Args:
        apply: The map.
        transpose: Of what arrives at its result, the gradient by the direction.
        direction: An array.
        shape: Of the result.
    """

    def solve(_: Any, given: Any) -> Any:
        return jnp.zeros_like(given[0]), apply(given[0]).astype(given[1].dtype)

    def transpose_solve(_: Any, given: Any) -> Any:
        return transpose(given[1]).astype(given[0].dtype), jnp.zeros_like(given[1])

    # Both parts depend on what is given, and the result on both, since JAX can neither transpose
    # nor differentiate a solution of which a part is constant.
    given = direction, _nothing_of(direction, shape)
    rest, found = jax.lax.custom_linear_solve(lambda given: given, given, solve, transpose_solve)
    return found + _nothing_of(rest, shape)


def along(shares: jax.Array, direction: jax.Array, axis: int | None) -> jax.Array:
    """Σ share · direction of each group."""
    # ∞ · 0 is no share.
    return jnp.sum(jnp.where(shares == 0, 0, shares * direction), axis)
