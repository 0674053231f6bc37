"""Selection from JAX arrays: the n-th element, quantiles, medians, the mean of the k largest."""

from typing import Any

import jax

from tailops._axes import index_of_axis
from tailops._families import documented
from tailops._quantiles import TEXTS
from tailops.jax import _arrays
from tailops.jax._arguments import fractions, real, whole_number
from tailops.jax._quantiles import first_places, mean_of_largest, quantiles
from tailops.jax._return_types import returns_element, returns_quantiles
from tailops.jax._select import select

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "nth_element",
    "percentile",
    "quantile",
    "top_k_mean",
]

# What is said of arguments here alone.
_OWN = {
    "x": "float16 and bfloat16 (interpolated in float32), float32 or float64. Integers and "
    "booleans where no method interpolates; where one does they become JAX's default "
    "float.",
    "q": "Fractions in [0, 1]: a number, or an array of any shape. It may be traced; what is "
    "not keeps its float64 without JAX's x64 mode too. There is no gradient by q.",
    "weights": TEXTS["weights"]
    + " They may be traced; what is not JAX's keeps its float64, as q does.",
}
_OF_PERCENT = {
    "q": "Percentages in [0, 100]; otherwise as for `quantile`. What is traced is divided by 100 "
    "in JAX's default float."
}


@returns_element
def nth_element(
    input: Any,  # noqa: A002
    n: Any,
    reverse: bool = False,
    axis: int = -1,
    return_indices: bool = False,
) -> Any:
    """The n-th smallest element of every row.

    Args:
        input: Rows, (…, N): float16, bfloat16, float32, float64, or integers of 8 to 64 bits.
        n: Which element, in [0, N): 0 is the smallest. It may be traced.
        reverse: Whether to count from the largest; static.
        axis: Along which; the last one otherwise.
        return_indices: Whether to return as well where it is: the first of equal ones.

    Returns:
        Of input's dtype, its shape without the axis. NaN for a row with a NaN. The gradient goes to
        the elements equal to the result, split equally. With `return_indices` a pair: that, and
        the places along the axis, of JAX's default integer.

    Raises:
        TypeError: `input` is not real, or `n` not an integer.
        ValueError: `input` is a scalar, `n` no scalar or out of range, or there is no such axis.
        jax.errors.JaxRuntimeError: `n` is out of range where only run time knows. On a GPU floating
            values are NaN instead, and of integers the nearest n in range is taken.

    Example:
        >>> import jax.numpy as jnp
        >>> nth_element(jnp.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]]), 1).tolist()
        [2.0, 5.0]
        >>> [found.tolist() for found in nth_element([7, 5, 5], 0, return_indices=True)]
        [5, 1]

    Source: as TensorFlow's NthElement.
    """
    x = real("input", input)
    if x.ndim == 0:
        raise ValueError("input of shape (): must have at least one dimension")
    along = index_of_axis(_arrays, axis, x.ndim, "input")
    place = whole_number("n", n, 0, x.shape[along] - 1)
    value = select(x, place, "rank_from_top" if reverse else "rank", along)
    return (value, first_places(x, value, along)) if return_indices else value


@returns_quantiles
@documented(texts=TEXTS | _OWN)
def quantile(
    x: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
    return_indices: bool = False,
    weights: Any = None,
) -> Any:
    """Quantiles, with the results of `numpy.quantile` and `jax.numpy.quantile`; nothing is sorted.

    With x's n elements in ascending order, x₍₀₎ ≤ … ≤ x₍ₙ₋₁₎, and the rank r of q by the method:

        Q(q) = (1 − w)·x₍ᵢ₎ + w·x₍ᵢ₊₁₎,  i = ⌊r⌋,  w = r − i

    All q are found in one selection, under `jax.vmap` those of all slices. NaN where there is one.
    Where NumPy's interpolation leaves the numbers, this does not: with an infinite element it is
    that infinity, of two opposite ones NaN, and of two finite ones it never overflows.

    Derivatives are forward and in reverse, a call each, and of any order: those beyond the first
    are zero wherever they exist.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        Of x's dtype: q's shape, then that of x without the axes. The gradient of an element goes to
        all that are equal to it, split equally, or by their `weights`; the one of an interpolation
        by how near each is. With `return_indices` a pair: that, and places of the same shape, of
        JAX's default integer.

    Raises:
        TypeError: x is not real, or another argument not of its type.
        ValueError: q is outside [0, 1], an axis out of range or there twice, the method unknown, or
            one that interpolates with `return_indices`, or that has no weights; a weight is
            negative or not finite, or their shape is another; or there is nothing to select from.
        jax.errors.JaxRuntimeError: q or a weight is outside where only run time knows, or all
            weights of a group are 0. On a GPU the value is NaN instead, and of integers that of
            the nearest q.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> x = jnp.array([[10.0, 7.0, 4.0], [3.0, 2.0, 1.0]])
        >>> float(quantile(x, 0.5))
        3.5
        >>> quantile(x, [0.0, 0.75], axis=1).tolist()
        [[4.0, 1.0], [8.5, 2.5]]
        >>> jax.grad(quantile)(jnp.array([4.0, 1.0, 1.0, 2.0]), 0.25).tolist()
        [0.0, 0.5, 0.5, 0.0]
        >>> x, weights = [1.0, 4.0, 3.0, 2.0, 2.5, 7.0], [0.1, 0.3, 0.05, 0.05, 0.2, 0.3]
        >>> float(quantile(x, 0.5, method="inverted_cdf", weights=weights))
        4.0

    Source: as `tailops.ops.quantile`.
    """
    return quantiles(x, fractions(q), axis, method, keepdims, False, return_indices, weights)


@returns_quantiles
@documented(texts=TEXTS | _OWN)
def nanquantile(
    x: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
    return_indices: bool = False,
    weights: Any = None,
) -> Any:
    """Quantiles of what is not NaN, with the results of `numpy.nanquantile`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `quantile`; NaN where there is nothing else. NaN elements get no gradient.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `quantile`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(nanquantile(jnp.array([1.0, jnp.nan, 3.0]), 0.5))
        2.0
    """
    return quantiles(x, fractions(q), axis, method, keepdims, True, return_indices, weights)


@returns_quantiles
@documented(texts=TEXTS | _OWN | _OF_PERCENT)
def percentile(
    x: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
    return_indices: bool = False,
    weights: Any = None,
) -> Any:
    """Quantiles by percent, with the results of `numpy.percentile`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `quantile` of q/100.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `quantile`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(percentile(jnp.array([4.0, 1.0, 2.0, 8.0]), 50))
        3.0
    """
    return quantiles(x, fractions(q, 100), axis, method, keepdims, False, return_indices, weights)


@returns_quantiles
@documented(texts=TEXTS | _OWN | _OF_PERCENT)
def nanpercentile(
    x: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
    return_indices: bool = False,
    weights: Any = None,
) -> Any:
    """Quantiles by percent of what is not NaN, with the results of `numpy.nanpercentile`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `nanquantile` of q/100.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `quantile`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(nanpercentile(jnp.array([1.0, jnp.nan, 3.0]), 50))
        2.0
    """
    return quantiles(x, fractions(q, 100), axis, method, keepdims, True, return_indices, weights)


@documented(texts=TEXTS | _OWN)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """The median, with the results of `numpy.median`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `quantile` for q = 0.5.

    Raises:
        TypeError, ValueError: As `quantile`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(median(jnp.array([4.0, 1.0, 2.0, 8.0])))
        3.0
    """
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


@documented(texts=TEXTS | _OWN)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """The median of what is not NaN, with the results of `numpy.nanmedian`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `nanquantile` for q = 0.5.

    Raises:
        TypeError, ValueError: As `quantile`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(nanmedian(jnp.array([4.0, jnp.nan, 2.0])))
        3.0
    """
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)


@documented(texts=TEXTS | _OWN)
def top_k_mean(x: Any, k: Any, axis: Any = None, keepdims: bool = False) -> jax.Array:
    """The mean of the k largest elements.

    Where several equal the k-th largest and not all of them are among the k, the places that are
    left are split equally: each of m such elements for j places weighs j/m. So the gradient does
    not depend on the order of the elements, and adds up to 1; every other of the k gets 1/k.
    Derivatives are forward and in reverse, and of any order, as those of `quantile`.

    Args:
        x: As for `quantile`; integers and booleans become JAX's default float.
        k: How many, from 1 to the number of elements. It may be traced.
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        Of x's dtype: x's shape without the axes. NaN where there is one.

    Raises:
        TypeError: x is not real, or k not an integer.
        ValueError: k is out of range, an axis too, or there twice.
        jax.errors.JaxRuntimeError: k is out of range where only run time knows. On a GPU the value
            and its gradient are NaN instead.

    Example:
        >>> import jax.numpy as jnp
        >>> float(top_k_mean(jnp.array([5.0, 1.0, 3.0, 4.0]), 2))
        4.5

    Source: as `tailops.ops.top_k_mean`.
    """
    return mean_of_largest(x, k, axis, keepdims)
