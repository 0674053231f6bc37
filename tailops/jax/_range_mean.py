"""Range means of JAX arrays, and the weights of elements in them."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from tailops.jax._float64 import words_of_all
from tailops.jax._range_calls import backward, forward

__all__ = ["range_mean", "range_weights"]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _differentiable(values: Any, words: Any, mask: Any, kind: str, axis: int | None) -> Any:
    return forward(values, words, mask, kind, axis)[0]


def _forward_rule(values: Any, words: Any, mask: Any, kind: str, axis: int | None) -> Any:
    mean, state = forward(values, words, mask, kind, axis)
    return mean, (values, mask, state)


def _backward_rule(kind: str, axis: int | None, saved: Any, upstream: Any) -> Any:
    values, mask, state = saved
    return backward(upstream, values, state, mask, kind, axis), None, None


_differentiable.defvjp(_forward_rule, _backward_rule)


def words_of_bounds(bounds: Any) -> jax.Array:
    """Two numbers as the custom calls take them."""
    first, second = bounds
    return words_of_all((first, second))


def masks_of(mask: Any) -> tuple[Any, ...]:
    """One or none, as the custom calls take it."""
    return () if mask is None else (jnp.asarray(mask),)


def range_mean(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.reference_range_mean.range_mean`, in one call; under `jax.vmap` too.

    Args:
        values: An array, floating.
        bounds: Two real numbers: an array, or a sequence, in which Python's keep their float64
            whatever JAX's mode. What is traced may change without a compilation.
        kind: "between", "largest" or "at_least".
        axis: Along which; None: over all elements.
        mask: Of values' shape, True where an element counts; None: everywhere.

    Returns:
        Of values' dtype and shape without the axis. There is no gradient by the bounds.

    Raises:
        ValueError: There is no such kind or axis, or a group without elements.
        RuntimeError: There is no such range, found when it runs; on a GPU the group is NaN instead.

    Example:
        >>> values = jnp.array([1.0, 2.0, 3.0, 4.0])
        >>> round(float(range_mean(values, (0.7, 1.0), "between", None)), 4)
        3.8333
    """
    return _differentiable(jnp.asarray(values), words_of_bounds(bounds), masks_of(mask), kind, axis)


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
