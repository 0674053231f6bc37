"""Range means of JAX arrays, and the weights of elements in them.

A range mean is piecewise linear in the values, as what is selected from them is: differentiable
forward and in reverse, and derivatives beyond the first are zero.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import zero_from_primal

from tailops.jax._float64 import words_of_all
from tailops.jax._linear_maps import sums_of_shares
from tailops.jax._range_calls import backward, forward
from tailops.jax._weights import Weights, operands, times_each, weights_of, widened

__all__ = ["range_mean", "range_weights"]

Arrays = tuple[jax.Array, ...]


@functools.partial(jax.jit, static_argnames=("kind", "axis"))
def _slope(
    values: Any,
    mean: Any,
    state: Any,
    mask: Arrays,
    weights: tuple[Weights, ...],
    direction: Any,
    kind: str,
    axis: int | None,
) -> Any:
    def gradient(upstream: Any, values: Any) -> Any:
        return times_each(backward(upstream, values, state, mask, kind, axis), weights)

    return sums_of_shares(gradient, values, direction, mean, axis)


# Of mask and weights there is one or none, in a tuple.
@functools.partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def _differentiable(
    values: Any, words: Any, mask: Arrays, weights: tuple[Weights, ...], kind: str, axis: int | None
) -> Any:
    return forward(values, words, mask or operands(weights), kind, axis)


@_differentiable.defjvp  # type: ignore[untyped-decorator]
def _(kind: str, axis: int | None, primals: Any, tangents: Any) -> tuple[Any, Any]:
    values, words, mask, weights = primals
    mean, state = _differentiable(values, words, mask, weights, kind, axis)
    constants = jax.lax.stop_gradient((values, mean, state))
    slope = _slope(*constants, mask, weights, tangents[0], kind, axis)
    return (mean, state), (slope, zero_from_primal(state))


def words_of_bounds(bounds: Any) -> jax.Array:
    """Two numbers as the custom calls take them."""
    first, second = bounds
    return words_of_all((first, second))


def masks_of(mask: Any) -> tuple[Any, ...]:
    """One or none, as the custom calls take it."""
    return () if mask is None else (jnp.asarray(mask),)


def range_mean(
    values: Any,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: Any = None,
    weights: Any = None,
) -> Any:
    """As `tailops.reference_range_mean.range_mean`, in one call; under `jax.vmap` too.

    Args:
        values: An array, floating.
        bounds: Two real numbers: an array, or a sequence, in which Python's keep their float64
            whatever JAX's mode. What is traced may change without a compilation.
        kind: "between", "largest" or "at_least".
        axis: Along which; None: over all elements.
        mask: Of values' shape, True where an element counts; None: everywhere.
        weights: How much each element counts, of values' shape: NumPy's, or JAX's real numbers.
            Only where bounds are "between", and without a mask. None: each counts once.

    Returns:
        Of values' dtype and shape without the axis. There is no gradient by bounds or weights.

    Raises:
        ValueError: There is no such kind or axis, a group without elements, or a mask with weights.
        RuntimeError: There is no such range, or a weight is negative or not finite, found when it
            runs; on a GPU the group is NaN instead.

    Example:
        >>> values = jnp.array([1.0, 2.0, 3.0, 4.0])
        >>> round(float(range_mean(values, (0.7, 1.0), "between", None)), 4)
        3.8333
    """
    if mask is not None and weights is not None:
        raise ValueError("mask with weights: a weight of 0 is what leaves an element out")
    given, counts = jnp.asarray(values), weights_of(weights)
    words, masks = jax.lax.stop_gradient((words_of_bounds(bounds), masks_of(mask)))
    wide = widened(given, counts)
    mean = _differentiable(wide, words, masks, counts, kind, axis)[0]
    return mean.astype(given.dtype)


def range_weights(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """The elements' weights in `range_mean`, whose gradient they are; constants themselves.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.

    Returns:
        Of values' shape and dtype.

    Raises:
        ValueError, RuntimeError: As `range_mean`.

    Example:
        >>> range_weights(jnp.array([5.0, 2.0, 2.0, 1.0]), (2.0, 0.0), "largest", None).tolist()
        [0.5, 0.25, 0.25, 0.0]
    """
    constant, masks = jax.lax.stop_gradient(jnp.asarray(values)), masks_of(mask)
    words = jax.lax.stop_gradient(words_of_bounds(bounds))
    mean, state = forward(constant, words, masks, kind, axis)
    return backward(jnp.ones_like(mean), constant, state, masks, kind, axis)
