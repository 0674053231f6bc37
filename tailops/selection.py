"""Selection: the n-th element, quantiles, medians, the mean of the k largest.

Native, on all threads for one long row, differentiable, and inside XLA. Nothing is sorted: each
rank is bracketed by a sample, and one pass over the data keeps the few elements that it may be.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from tailops._axes import as_one_axis, reduced_axes, with_kept_axes
from tailops._checks import FLOATING, require_dense, require_one_of
from tailops._tensorflow import tensors
from tailops._tensorflow.range_mean import range_mean
from tailops._tensorflow.selection import select
from tailops._tensorflow.symbolic import takes_symbolic_tensors
from tailops._tensorflow.tensors import as_tensor, dtype_of

__all__ = ["median", "nanquantile", "nth_element", "quantile", "top_k_mean"]

METHODS = ("linear", "lower", "higher", "nearest", "midpoint", "floor")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _require_rank(argument: str, x: tf.Tensor) -> int:
    if x.shape.rank is None:
        raise ValueError(f"{argument} of unknown rank: its number of dimensions must be known")
    rank: int = x.shape.rank
    return rank


def _require_in_range(argument: str, known: int, low: int, high: int | None) -> None:
    if low <= known and (high is None or known <= high):
        return
    limits = f"in [{low}, {high}]" if high is not None else f"at least {low}"
    raise ValueError(f"{argument}={known}: must be {limits}")


def _whole_number(argument: str, value: Any, low: int, high: int | None) -> tf.Tensor:
    """A scalar integer as float64, in [low, high] if it is known; None: no end is known."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        _require_in_range(argument, int(value), low, high)
        return tf.constant(int(value), tf.float64)
    dtype = dtype_of(argument, value)
    if dtype not in _INTEGERS:
        raise TypeError(f"{argument} of dtype {dtype}: must be an integer")
    number = tf.convert_to_tensor(value)
    if number.shape.rank not in (0, None):
        raise ValueError(f"{argument} of shape {tuple(number.shape)}: must be a scalar")
    known = tf.get_static_value(number)
    if known is not None:
        _require_in_range(argument, int(known), low, high)
    return tf.cast(number, tf.float64)


@takes_symbolic_tensors
def nth_element(input: Any, n: Any, reverse: bool = False) -> tf.Tensor:  # noqa: A002
    """The n-th smallest element of every row, as TensorFlow's NthElement.

    Args:
        input: Rows, (…, N): float16, bfloat16, float32, float64, or integers of 8 to 64 bits; also
            one of Keras's symbolic tensors, of which the result is one too.
        n: Which element, in [0, N): 0 is the smallest. A tensor may be known at run time only.
        reverse: Whether to count from the largest.

    Returns:
        Of input's dtype, (…). NaN for a row with a NaN. The gradient goes to the elements equal to
        the result, split equally.

    Raises:
        TypeError: `input` is not real, or `n` not an integer.
        ValueError: `input` is a scalar, `n` no scalar or out of range.
        tf.errors.InvalidArgumentError: The last where only run time knows, or empty rows. Inside
            XLA on a GPU, where it would have to wait, floating values are NaN instead, and of
            integers the nearest n in range is taken.

    Example:
        >>> nth_element([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]], 1).numpy().tolist()
        [2.0, 5.0]
    """
    x = as_tensor("input", input, (*FLOATING, *_INTEGERS))
    if x.shape.rank == 0:
        raise ValueError("input of shape (): must have at least one dimension")
    last = None if x.shape.rank is None else x.shape[-1]
    q = _whole_number("n", n, 0, None if last is None else last - 1)
    return select(x, q, "rank_from_top" if reverse else "rank", -1)


def _fractions(q: Any) -> tf.Tensor:
    require_dense("q", q)
    if isinstance(q, tf.Tensor | tf.Variable):
        fractions = tf.convert_to_tensor(q)
        if not (fractions.dtype.is_floating or fractions.dtype.is_integer):
            raise TypeError(f"q of dtype {fractions.dtype.name}: must be real numbers")
        fractions = tf.cast(fractions, tf.float64)
    else:
        array = np.asarray(q)
        if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
            raise TypeError(f"q={q!r}: must be real numbers")
        fractions = tf.constant(array.astype(np.float64))
    known = tf.get_static_value(fractions)
    if known is not None:
        outside = known[~((known >= 0) & (known <= 1))]
        if outside.size:
            raise ValueError(f"q={outside.flat[0]}: must be in [0, 1]")
    return fractions


def _quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool, ignore_nan: bool) -> Any:
    require_one_of("method", method, METHODS)
    tensor = as_tensor("x", x, FLOATING)
    rank = _require_rank("x", tensor)
    fractions = _fractions(q)
    q_rank = _require_rank("q", fractions)
    axes = reduced_axes(tensors, axis, rank)
    rows, one_axis = as_one_axis(tensors, tensor, axes)
    flat = fractions if q_rank <= 1 else tf.reshape(fractions, [-1])
    value = select(rows, flat, method, one_axis, ignore_nan)
    if q_rank > 1:
        value = tf.reshape(value, tf.concat([tf.shape(fractions), tf.shape(value)[1:]], 0))
    return with_kept_axes(tensors, value, axes, q_rank) if keepdims else value


@takes_symbolic_tensors
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> tf.Tensor:
    """Quantiles, with the results of `numpy.quantile` and `keras.ops.quantile`.

    All q are found in one selection. NaN where there is one. Infinite elements order as numbers.
    Where NumPy's interpolation leaves the numbers, this does not: with an infinite element it is
    that infinity, of two opposite ones NaN, and of two finite ones it never overflows.

    Args:
        x: float16 and bfloat16 (interpolated in float32), float32 or float64; also one of Keras's
            symbolic tensors, of which the result is one too.
        q: Fractions in [0, 1]: a number, or an array of any shape. A tensor may be known at run
            time only. There is no gradient by q.
        axis: Along which: an integer, a tuple of them (also as tensors whose value is known), or
            None, over all elements.
        method: "linear", "lower", "higher", "nearest" (half to even) or "midpoint" as in NumPy, on
            the rank q·(n − 1); or "floor", rank min(⌊n·q⌋, n − 1), as in the losses.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Of x's dtype: q's shape, then that of x without the axes. The gradient of an element goes to
        all that are equal to it, split equally; the one of an interpolation by its weights.

    Raises:
        TypeError: x is not floating or not dense, or another argument not of its type.
        ValueError: q is outside [0, 1], an axis out of range or there twice, or the method unknown.
        tf.errors.InvalidArgumentError: q is outside where only run time knows, or x is empty.
            Inside XLA on a GPU, where it would have to wait, the value is NaN.

    Example:
        >>> x = tf.constant([[10.0, 7.0, 4.0], [3.0, 2.0, 1.0]])
        >>> quantile(x, 0.5).numpy()
        np.float32(3.5)
        >>> quantile(x, [0.0, 0.75], axis=1).numpy().tolist()
        [[4.0, 1.0], [8.5, 2.5]]

    Source: Hyndman and Fan, Sample quantiles in statistical packages, The American Statistician 50,
    1996, for the methods; Floyd and Rivest, Expected time bounds for selection, CACM 18, 1975, for
    selection by a sample.
    """
    return _quantile(x, q, axis, method, keepdims, ignore_nan=False)


@takes_symbolic_tensors
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> tf.Tensor:
    """Quantiles of what is not NaN, with the results of `numpy.nanquantile`.

    Args:
        x: As for `quantile`.
        q: As for `quantile`.
        axis: As for `quantile`.
        method: As for `quantile`.
        keepdims: As for `quantile`.

    Returns:
        As `quantile`; NaN where there is nothing else. NaN elements get no gradient.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `quantile`.

    Example:
        >>> float(nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    return _quantile(x, q, axis, method, keepdims, ignore_nan=True)


@takes_symbolic_tensors
def median(x: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """The median, with the results of `numpy.median` and `keras.ops.median`.

    Args:
        x: As for `quantile`.
        axis: As for `quantile`.
        keepdims: As for `quantile`.

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
def top_k_mean(x: Any, k: Any, axis: Any = None, keepdims: bool = False) -> tf.Tensor:
    """The mean of the k largest elements.

    Where several equal the k-th largest and not all of them are among the k, the places that are
    left are split equally: each of m such elements for j places weighs j/m. So the gradient does
    not depend on the order of the elements, and adds up to 1; every other of the k gets 1/k.

    Args:
        x: As for `quantile`.
        k: How many, from 1 to the number of elements. A tensor may be known at run time only.
        axis: As for `quantile`.
        keepdims: As for `quantile`.

    Returns:
        Of x's dtype: x's shape without the axes. NaN where there is one.

    Raises:
        TypeError: x is not floating, or k not an integer.
        ValueError: k is out of range, an axis too, or there twice.
        tf.errors.InvalidArgumentError: k is out of range where only run time knows.

    Example:
        >>> float(top_k_mean([5.0, 1.0, 3.0, 4.0], 2))
        4.5

    Source: as `tailops.losses.percentile_loss`: with k = (1 − p)·n, the conditional value at risk.
    """
    tensor = as_tensor("x", x, FLOATING)
    axes = reduced_axes(tensors, axis, _require_rank("x", tensor))
    sizes = [tensor.shape[a] for a in axes]
    known = None if None in sizes else int(np.prod(sizes, dtype=np.int64))
    number = _whole_number("k", k, 1, known)
    rows, one_axis = as_one_axis(tensors, tensor, axes)
    value = range_mean(rows, tensors.numbers(number, 0.0), "largest", one_axis)
    return with_kept_axes(tensors, value, axes, 0) if keepdims else value
