"""Selection: the n-th element, quantiles, medians, the mean of the k largest.

Native, on all threads for one long row, differentiable, and inside XLA. Nothing is sorted: each
rank is bracketed by a sample, and one pass over the data keeps the few elements that it may be.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tailops._axes import index_of_axis
from tailops._checks import FLOATING, INTEGERS
from tailops._families import documented
from tailops._quantiles import TEXTS
from tailops._tensorflow import tensors
from tailops._tensorflow.quantiles import (
    as_floating,
    first_places,
    fractions,
    quantiles,
    rows_of,
    whole_number,
    with_kept,
)
from tailops._tensorflow.range_mean import range_mean
from tailops._tensorflow.selection import select
from tailops._tensorflow.symbolic import takes_symbolic_tensors
from tailops._tensorflow.tensors import as_tensor

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
    "x": "float16 and bfloat16 (interpolated in float32), float32 or float64; also one of "
    "Keras's symbolic tensors, of which the result is one too. Integers and booleans "
    "where no method interpolates; where one does they become Keras's `floatx`, as "
    "Keras promotes them.",
    "q": "Fractions in [0, 1]: a number, or an array of any shape. A tensor may be known at "
    "run time only. There is no gradient by q.",
}
_OF_PERCENT = {"q": "Percentages in [0, 100]; otherwise as for `quantile`."}


@takes_symbolic_tensors
def nth_element(
    input: Any,  # noqa: A002
    n: Any,
    reverse: bool = False,
    axis: int = -1,
    return_indices: bool = False,
) -> Any:
    """The n-th smallest element of every row, as TensorFlow's NthElement.

    Args:
        input: Rows, (…, N): float16, bfloat16, float32, float64, or integers of 8 to 64 bits; also
            one of Keras's symbolic tensors, of which the result is one too.
        n: Which element, in [0, N): 0 is the smallest. A tensor may be known at run time only.
        reverse: Whether to count from the largest.
        axis: Along which; the last one otherwise.
        return_indices: Whether to return as well where it is: the first of equal ones.

    Returns:
        Of input's dtype, its shape without the axis. NaN for a row with a NaN. The gradient goes to
        the elements equal to the result, split equally. With `return_indices` a pair: that, and
        the places along the axis, int64.

    Raises:
        TypeError: `input` is not real, or `n` not an integer.
        ValueError: `input` is a scalar, `n` no scalar or out of range, or there is no such axis.
        tf.errors.InvalidArgumentError: The last where only run time knows, or empty rows. Inside
            XLA on a GPU, where it would have to wait, floating values are NaN instead, and of
            integers the nearest n in range is taken.

    Example:
        >>> nth_element([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]], 1).numpy().tolist()
        [2.0, 5.0]
        >>> [t.numpy().tolist() for t in nth_element([7, 5, 5], 0, return_indices=True)]
        [5, 1]
    """
    x = as_tensor("input", input, (*FLOATING, *INTEGERS))
    if x.shape.rank == 0:
        raise ValueError("input of shape (): must have at least one dimension")
    along = index_of_axis(tensors, axis, x.shape.rank, "input")
    size = None if x.shape.rank is None else x.shape[along]
    q = whole_number("n", n, 0, None if size is None else size - 1)
    value = select(x, q, "rank_from_top" if reverse else "rank", along)
    return (value, first_places(x, value[None], along)[0]) if return_indices else value


@takes_symbolic_tensors
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
    """Quantiles, with the results of `numpy.quantile` and `keras.ops.quantile`.

    All q are found in one selection. NaN where there is one. Infinite elements order as numbers.
    Where NumPy's interpolation leaves the numbers, this does not: with an infinite element it is
    that infinity, of two opposite ones NaN, and of two finite ones it never overflows.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        Of x's dtype: q's shape, then that of x without the axes. The gradient of an element goes to
        all that are equal to it, split equally, or by their `weights`; the one of an interpolation
        by how near each is. With `return_indices` a pair: that, and places of the same shape,
        int64.

    Raises:
        TypeError: x is not real or not dense, or another argument not of its type.
        ValueError: q is outside [0, 1], an axis out of range or there twice, the method unknown, or
            one that interpolates with `return_indices`, or that has no weights; a weight is
            negative or not finite, or their shape is another.
        tf.errors.InvalidArgumentError: q or a weight is outside where only run time knows, all
            weights of a group are 0, or x is empty. On a GPU, where it would have to wait, the
            value is NaN.

    Example:
        >>> x = tf.constant([[10.0, 7.0, 4.0], [3.0, 2.0, 1.0]])
        >>> quantile(x, 0.5).numpy()
        np.float32(3.5)
        >>> quantile(x, [0.0, 0.75], axis=1).numpy().tolist()
        [[4.0, 1.0], [8.5, 2.5]]
        >>> x, weights = [1.0, 4.0, 3.0, 2.0, 2.5, 7.0], [0.1, 0.3, 0.05, 0.05, 0.2, 0.3]
        >>> float(quantile(x, 0.5, method="inverted_cdf", weights=weights))
        4.0

    Source: Hyndman and Fan, Sample quantiles in statistical packages, The American Statistician 50,
    1996, for the methods; Floyd and Rivest, Expected time bounds for selection, CACM 18, 1975, for
    selection by a sample.
    """
    return quantiles(x, fractions(q), axis, method, keepdims, False, return_indices, weights)


@takes_symbolic_tensors
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
    """Quantiles of what is not NaN, with the results of `numpy.nanquantile`, but its warnings.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `quantile`; NaN where there is nothing else. NaN elements get no gradient.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    return quantiles(x, fractions(q), axis, method, keepdims, True, return_indices, weights)


@takes_symbolic_tensors
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
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(percentile([4.0, 1.0, 2.0, 8.0], 50))
        3.0
    """
    return quantiles(x, fractions(q, 100), axis, method, keepdims, False, return_indices, weights)


@takes_symbolic_tensors
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
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(nanpercentile([1.0, float("nan"), 3.0], 50))
        2.0
    """
    return quantiles(x, fractions(q, 100), axis, method, keepdims, True, return_indices, weights)


@takes_symbolic_tensors
@documented(texts=TEXTS | _OWN)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """The median, as `numpy.median` and `keras.ops.median`.

    Of an even number of elements it is interpolated as `numpy.quantile(x, 0.5)`, bit for bit; where
    the middle two nearly cancel, NumPy's half of their sum is rounded otherwise.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `quantile` for q = 0.5.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(median([4.0, 1.0, 2.0, 8.0]))
        3.0
    """
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


@takes_symbolic_tensors
@documented(texts=TEXTS | _OWN)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """The median of what is not NaN, as `numpy.nanmedian`; rounded as `median`.

    Args:
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        As `nanquantile` for q = 0.5.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(nanmedian([4.0, float("nan"), 2.0]))
        3.0
    """
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)


@takes_symbolic_tensors
@documented(texts=TEXTS | _OWN)
def top_k_mean(x: Any, k: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """The mean of the k largest elements.

    Where several equal the k-th largest and not all of them are among the k, the places that are
    left are split equally: each of m such elements for j places weighs j/m. So the gradient does
    not depend on the order of the elements, and adds up to 1; every other of the k gets 1/k.

    Args:
        k: How many, from 1 to the number of elements. A tensor may be known at run time only.
        ...: `help()` describes it, from the table of `tailops._quantiles`.

    Returns:
        Of x's dtype: x's shape without the axes. NaN where there is one.

    Raises:
        TypeError: x is not real, or k not an integer.
        ValueError: k is out of range, an axis too, or there twice.
        tf.errors.InvalidArgumentError: k is out of range where only run time knows.

    Example:
        >>> float(top_k_mean([5.0, 1.0, 3.0, 4.0], 2))
        4.5

    Source: as `tailops.losses.percentile_loss`: with k = (1 − p)·n, the conditional value at risk.
    """
    tensor = as_floating("x", x)
    rows, one_axis, axes = rows_of(tensor, axis)
    if axes is None:
        known = None
    else:
        sizes = [tensor.shape[a] for a in axes]
        known = None if None in sizes else int(np.prod(sizes, dtype=np.int64))
    number = whole_number("k", k, 1, known)
    value = range_mean(rows, tensors.numbers(number, 0.0), "largest", one_axis)
    return with_kept(value, tensor, axis, axes, 0) if keepdims else value
