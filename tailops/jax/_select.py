"""Selection from JAX arrays: differentiable forward and in reverse, as often as one likes.

A selected value is piecewise linear in x: of weights that are constants, so that derivatives beyond
the first are zero.
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import zero_from_primal

from tailops.jax import _select_calls
from tailops.jax._float64 import words_of

__all__ = ["select"]


def _weighted(x: Any, state: Any, direction: Any, axis: int | None) -> Any:
    """Σ weight · direction for every q and group: a vector of q, then the groups."""
    geometry = _select_calls.geometry_of(x.shape, axis)
    columns = _select_calls.WORDS_OF_STATE
    of_each_q = state.reshape(geometry.groups, state.shape[1] // columns, columns)
    ones = jnp.ones(geometry.group_shape, x.dtype)

    def of_one(state: Any) -> Any:
        weights = _select_calls.backward(ones, x, state, axis)
        # ∞ · 0 is no share.
        return jnp.sum(jnp.where(weights == 0, 0, weights * direction), axis)

    return jax.vmap(of_one, in_axes=1)(of_each_q)


def _padded(vector: Any, size: int) -> Any:
    return jnp.pad(vector, (0, size - len(vector)))


@functools.partial(jax.jit, static_argnames=("shape", "axis"))
def _slope(x: Any, state: Any, direction: Any, shape: tuple[int, ...], axis: int | None) -> Any:
    """The linear map from a direction of x to that of its values; its transpose is one call.

    JAX has one function with a transpose of its own that `jax.vmap` knows: the solution of a linear
    system. This takes the map for one. It is of the same size before and after, so what is shorter
    is filled up; the system itself is asked for nothing but its size.
    """
    values = math.prod(shape)
    size = max(x.size, values)

    def solve(_: Any, given: Any) -> Any:
        found = _weighted(x, state, given[: x.size].reshape(x.shape), axis)
        return _padded(found.reshape(values), size)

    def transpose_solve(_: Any, given: Any) -> Any:
        upstream = given[:values].reshape(shape)
        return _padded(_select_calls.backward(upstream, x, state, axis).reshape(x.size), size)

    given = _padded(direction.reshape(x.size), size)
    found = jax.lax.custom_linear_solve(lambda given: given, given, solve, transpose_solve)
    return found[:values].reshape(shape)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2, 3, 4))
def _differentiable(x: Any, words: Any, method: str, axis: int | None, ignore_nan: bool) -> Any:
    return _select_calls.forward(x, words, method, axis, ignore_nan)


@_differentiable.defjvp  # type: ignore[untyped-decorator]
def _(
    method: str, axis: int | None, ignore_nan: bool, primals: Any, tangents: Any
) -> tuple[Any, Any]:
    x, words = primals
    value, state = _differentiable(x, words, method, axis, ignore_nan)
    constant, saved = jax.lax.stop_gradient((x, state))
    slope = _slope(constant, saved, tangents[0], value.shape, axis)
    return (value, state), (slope, zero_from_primal(state))


def select(
    x: jax.Array, q: Any, method: str, axis: int | None, ignore_nan: bool = False
) -> jax.Array:
    """As `tailops.reference_selection.select`, in one call; under `jax.vmap` too.

    Args:
        x: An array of real numbers.
        q: A scalar or a vector of them: Python's and NumPy's keep their float64 whatever JAX's
            mode. What is traced may change without a compilation.
        method: One of `_select_calls.METHODS`.
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out; otherwise it is the result where there is one.

    Returns:
        Of x's dtype, q's shape before that of x without the axis. The gradient goes to the elements
        equal to the result, split equally. There is none by q.

    Raises:
        ValueError: There is no such axis, or nothing to select from.
        RuntimeError: A q is out of range, found when it runs; or the method interpolates integers.
            On a GPU it is NaN instead, and of integers the nearest in range.

    Example:
        >>> select(jnp.array([4.0, 1.0, 2.0]), [0.5, 0.75], "linear", None).tolist()
        [2.0, 3.0]
    """
    axis = _select_calls.from_the_back(x.shape, axis)
    words = jax.lax.stop_gradient(words_of(q))
    differentiable = jnp.issubdtype(x.dtype, jnp.floating)
    function = _differentiable if differentiable else _select_calls.forward
    value: jax.Array = function(x, words, method, axis, ignore_nan)[0]
    return value
