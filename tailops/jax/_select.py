"""Selection from JAX arrays: differentiable forward and in reverse, as often as one likes.

A selected value is piecewise linear in x: of shares that are constants, so that derivatives beyond
the first are zero.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import zero_from_primal

from tailops.jax import _select_calls
from tailops.jax._float64 import words_of
from tailops.jax._linear_maps import along, linear_map
from tailops.jax._weights import Weights, operands, times_each, weights_of, widened

__all__ = ["select", "select_by_words"]


def _moved(
    x: Any, state: Any, weights: tuple[Weights, ...], direction: Any, axis: int | None
) -> Any:
    """Σ share · direction for every q and group: a vector of q, then the groups."""
    groups = _select_calls.groups_of(x.shape, axis)
    columns = _select_calls.WORDS_OF_STATE
    of_each_q = state.reshape(groups.count, state.shape[1] // columns, columns)
    ones = jnp.ones(groups.shape, x.dtype)

    def of_one(state: Any) -> Any:
        shares = times_each(_select_calls.backward(ones, x, state, axis), weights)
        return along(shares, direction, axis)

    return jax.vmap(of_one, in_axes=1)(of_each_q)


@functools.partial(jax.jit, static_argnames="axis")
def _slope(
    x: Any,
    value: Any,
    state: Any,
    weights: tuple[Weights, ...],
    direction: Any,
    axis: int | None,
) -> Any:
    def apply(direction: Any) -> Any:
        return _moved(x, state, weights, direction, axis).reshape(value.shape)

    def transpose(upstream: Any) -> Any:
        return times_each(_select_calls.backward(upstream, x, state, axis), weights)

    return linear_map(apply, transpose, direction, value)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4, 5))
def _differentiable(
    x: Any,
    words: Any,
    weights: tuple[Weights, ...],
    method: str,
    axis: int | None,
    ignore_nan: bool,
) -> Any:
    return _select_calls.forward(x, words, operands(weights), method, axis, ignore_nan)


@_differentiable.defjvp  # type: ignore[untyped-decorator]
def _(
    method: str, axis: int | None, ignore_nan: bool, primals: Any, tangents: Any
) -> tuple[Any, Any]:
    x, words, weights = primals
    value, state = _differentiable(x, words, weights, method, axis, ignore_nan)
    constants = jax.lax.stop_gradient((x, value, state))
    slope = _slope(*constants, weights, tangents[0], axis)
    return (value, state), (slope, zero_from_primal(state))


def select(
    x: jax.Array,
    q: Any,
    method: str,
    axis: int | None,
    ignore_nan: bool = False,
    weights: Any = None,
) -> jax.Array:
    """As `tailops.reference_selection.select`, in one call; under `jax.vmap` too.

    Args:
        x: An array of real numbers.
        q: A scalar or a vector of them: Python's and NumPy's keep their float64 whatever JAX's
            mode. What is traced may change without a compilation.
        method: One of `_select_calls.METHODS`.
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out; otherwise it is the result where there is one.
        weights: How much each element counts, of x's shape: NumPy's, or JAX's real numbers. None:
            each counts once.

    Returns:
        Of x's dtype, q's shape before that of x without the axis. The gradient goes to the elements
        equal to the result, split equally, or by their weights. There is none by q or weights.

    Raises:
        ValueError: There is no such axis, or nothing to select from.
        RuntimeError: A q or a weight is out of range, found when it runs; or the method
            interpolates integers. On a GPU it is NaN instead, and of integers the nearest in range.

    Example:
        >>> select(jnp.array([4.0, 1.0, 2.0]), [0.5, 0.75], "linear", None).tolist()
        [2.0, 3.0]
    """
    return select_by_words(x, words_of(q), method, axis, ignore_nan, weights)


def select_by_words(
    x: jax.Array,
    words: Any,
    method: str,
    axis: int | None,
    ignore_nan: bool = False,
    weights: Any = None,
) -> jax.Array:
    """The same of the words of q."""
    axis = _select_calls.from_the_back(x.shape, axis)
    words, counts = jax.lax.stop_gradient(words), weights_of(weights)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return _select_calls.forward(x, words, operands(counts), method, axis, ignore_nan)[0]
    value = _differentiable(widened(x, counts), words, counts, method, axis, ignore_nan)[0]
    return value.astype(x.dtype)
