"""Linear maps that JAX transposes by a function of their own, under `jax.vmap` too."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def _nothing_of(x: jax.Array, like: jax.Array) -> jax.Array:
    """Zeros that to JAX are linear in x; no work, once XLA has compiled it."""
    array = jnp.atleast_1d(x)
    return jnp.ones_like(like) * jnp.sum(array[(slice(0),) * array.ndim])


def linear_map(
    apply: Callable[[Any], Any],
    transpose: Callable[[Any], Any],
    direction: jax.Array,
    like: jax.Array,
) -> jax.Array:
    """What a linear map makes of a direction.

    JAX has one function with a transpose of its own that `jax.vmap` knows: the solution of a linear
    system. This takes the map A for one: of (direction, nothing) it is (nothing, A·direction). The
    system itself is asked for nothing but its shapes.

    Args:
        apply: The map.
        transpose: Of what arrives at its result, the gradient by the direction.
        direction: An array.
        like: What the result is the direction of.
    """

    def solve(_: Any, given: Any) -> Any:
        return jnp.zeros_like(given[0]), apply(given[0]).astype(given[1].dtype)

    def transpose_solve(_: Any, given: Any) -> Any:
        return transpose(given[1]).astype(given[0].dtype), jnp.zeros_like(given[1])

    # Both parts depend on what is given, and the result on both, since JAX can neither transpose
    # nor differentiate a solution of which a part is constant.
    given = direction, _nothing_of(direction, like)
    rest, found = jax.lax.custom_linear_solve(lambda given: given, given, solve, transpose_solve)
    return found + _nothing_of(rest, like)


def along(shares: jax.Array, direction: jax.Array, axis: int | None) -> jax.Array:
    """Σ share · direction of each group."""
    # ∞ · 0 is no share.
    return jnp.sum(jnp.where(shares == 0, 0, shares * direction), axis)


def sums_of_shares(
    gradient: Callable[[Any, Any], Any],
    x: jax.Array,
    direction: jax.Array,
    sums: jax.Array,
    axis: int | None,
) -> jax.Array:
    """What a direction of x makes of results that are sums of x's elements, each with its share.

    Args:
        gradient: Of what arrives at the results, and of x: the gradient by x, one call.
        x: What they are of.
        direction: Of x.
        sums: The results.
        axis: Along which they are; None: there is one, of all elements.
    """

    def apply(direction: Any) -> Any:
        # Shares of many are nothing in 16 bits.
        wide = jnp.promote_types(x.dtype, jnp.float32)
        return along(gradient(jnp.ones_like(sums, wide), x.astype(wide)), direction, axis)

    return linear_map(apply, lambda upstream: gradient(upstream, x), direction, sums)
