"""Weights as the custom calls take them, and as the gradient of what has them needs them."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from tailops.jax._float64 import words_of


class Weights(NamedTuple):
    """How much each element counts."""

    operand: jax.Array
    """float32, float64, or the words of that along one more axis, which JAX always has."""
    factors: jax.Array
    """The same, floating, maybe rounded."""


def _in_range(known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same relative to each other, exactly, with none beyond what float32 has."""
    _, exponent = np.frexp(known.max(initial=0.0))
    return np.asarray(np.ldexp(known, -exponent))


def weights_of(weights: Any) -> tuple[Weights, ...]:
    """One or none, as the custom calls take it.

    Args:
        weights: An array, of NumPy where it is known; or None.
    """
    if weights is None:
        return ()
    wide = jnp.result_type(float)
    is_known = isinstance(weights, np.ndarray) and weights.dtype == np.float64
    given = _in_range(weights) if is_known else jnp.asarray(weights)
    is_floating = jnp.issubdtype(given.dtype, jnp.floating) and not is_known
    factors = given.astype(jnp.promote_types(given.dtype, jnp.float32) if is_floating else wide)
    operand = factors if is_floating else words_of(given)
    constant: Weights = jax.lax.stop_gradient(Weights(operand, jnp.asarray(factors)))
    return (constant,)


def widened(x: jax.Array, weights: tuple[Weights, ...]) -> jax.Array:
    """Elements that have a gradient which is still to be multiplied by weights.

    That may be beyond 16 bits.
    """
    is_narrow = x.dtype.itemsize == 2 and jnp.issubdtype(x.dtype, jnp.floating)
    return x.astype(jnp.float32) if weights and is_narrow else x


def operands(weights: tuple[Weights, ...]) -> tuple[jax.Array, ...]:
    """Those of the forward call, one or none."""
    return tuple(one.operand for one in weights)


def times_each(gradient: jax.Array, weights: tuple[Weights, ...]) -> jax.Array:
    """What a call leaves to be multiplied by the weights that it had, if it had any."""
    for one in weights:
        gradient = gradient * one.factors.astype(gradient.dtype)
    return gradient
