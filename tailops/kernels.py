"""The kernels on NumPy arrays, without TensorFlow: for tests, benchmarks, and other frameworks."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tailops import _kernels
from tailops._families import documented
from tailops._numpy import mask_like, output, thread_count, weights_like
from tailops._options import TailOptions
from tailops._range_kernels import RangeMean, range_mean, range_mean_forward, range_mean_gradient
from tailops._state import STATE, records

__all__ = [
    "STATE",
    "Forward",
    "RangeMean",
    "Selection",
    "TailOptions",
    "backward",
    "forward",
    "range_mean",
    "range_mean_forward",
    "range_mean_gradient",
    "select",
    "select_backward",
    "select_forward",
]


class Forward(NamedTuple):
    """What `forward` returns: the loss, and a record of type `STATE` per group.

    `tailops._state` says what its fields are, and how other arrays have them.
    """

    loss: NDArray[Any]
    state: NDArray[Any]


def _contiguous(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    predictions = np.asarray(y_pred, order="C")
    targets = np.asarray(y_true, order="C")
    if targets.shape != predictions.shape or targets.dtype != predictions.dtype:
        raise ValueError(
            f"y_true is {targets.dtype.name}{targets.shape} and y_pred is "
            f"{predictions.dtype.name}{predictions.shape}: shape and dtype must be the same"
        )
    return targets, predictions


@documented()
def forward(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: ArrayLike | None = None,
    threads: int = 1,
    out: NDArray[Any] | None = None,
) -> Forward:
    """The tail loss of NumPy arrays; formulas as in `tailops.losses.percentile_loss`.

    Args:
        y_true: Targets, any shape, float16, bfloat16, float32 or float64.
        y_pred: Predictions of the same shape and dtype.
        ...: `help()` describes it, from the tables of `tailops._families`.
        mask: Booleans of y_pred's shape: True where an element counts. None: everywhere.
        out: Where to write the loss: C-contiguous, of its shape and y_pred's dtype. Without
            reduction it may be y_true or y_pred.

    Returns:
        The loss, which is `out` where that is given, and the state for `backward`.

    Raises:
        ValueError: Shapes or dtypes differ, an array is empty, or an argument is out of range.

    Example:
        >>> loss, state = forward(np.zeros(4), np.array([1.0, 2.0, 3.0, 4.0]), reduction="none")
        >>> loss.tolist()  # the largest error is at the threshold: its weight is 1 + 10 · ½
        [1.0, 2.0, 3.0, 24.0]
        >>> state["threshold"].tolist()
        [4.0]
    """
    options = options or TailOptions()
    targets, predictions = _contiguous(y_true, y_pred)
    geometry = _kernels.Geometry(list(predictions.shape), options.axis, reduction)
    loss = output(out, geometry.output_shape, predictions.dtype, "the loss")
    state = np.empty(geometry.groups, STATE)
    _kernels.forward(
        predictions.dtype.name,
        targets,
        predictions,
        mask_like(mask, predictions.shape, "y_pred"),
        geometry,
        options.for_kernels(),
        loss,
        state,
        thread_count(threads),
    )
    return Forward(loss, state)


@documented()
def backward(
    upstream: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    state: NDArray[Any],
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: ArrayLike | None = None,
    threads: int = 1,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The gradient of Σ upstream · loss by y_pred; by y_true, if read, the negative.

    Args:
        upstream: The gradient that arrives at the loss, of the loss's shape.
        y_true: As for `forward`.
        y_pred: As for `forward`.
        state: What `forward` returned for these inputs and options, here or on another array.
        ...: `help()` describes it, from the tables of `tailops._families`.
        mask: As for `forward`.
        out: Where to write the result: C-contiguous, of y_pred's shape and dtype.

    Returns:
        An array like y_pred, or `out`.

    Raises:
        ValueError: As for `forward`, or upstream, state or out are not of their shape or dtype.

    Example:
        >>> y_true, y_pred = np.zeros(3), np.array([1.0, -2.0, 4.0])
        >>> options = TailOptions(gradient="fixed_weight")
        >>> _, state = forward(y_true, y_pred, options)
        >>> backward(np.ones(3), y_true, y_pred, state, options).tolist()
        [1.0, -1.0, 6.0]
    """
    options = options or TailOptions()
    targets, predictions = _contiguous(y_true, y_pred)
    geometry = _kernels.Geometry(list(predictions.shape), options.axis, reduction)
    arriving = np.asarray(upstream, predictions.dtype, order="C")
    if arriving.shape != geometry.output_shape:
        raise ValueError(f"upstream of shape {arriving.shape}: must be {geometry.output_shape}")
    gradient = output(out, predictions.shape, predictions.dtype, "y_pred")
    _kernels.backward(
        predictions.dtype.name,
        arriving,
        targets,
        predictions,
        mask_like(mask, predictions.shape, "y_pred"),
        records(state, geometry.groups),
        geometry,
        options.for_kernels(),
        gradient,
        thread_count(threads),
    )
    return gradient


class Selection(NamedTuple):
    """What `select_forward` returns: the values, and the float64 state of each group."""

    value: NDArray[Any]
    state: NDArray[np.float64]


def select(
    x: ArrayLike,
    q: ArrayLike,
    *,
    method: str = "linear",
    axis: int | None = None,
    ignore_nan: bool = False,
    weights: ArrayLike | None = None,
    threads: int = 1,
) -> NDArray[Any]:
    """Quantiles of a NumPy array, or its elements of given ranks; as `tailops.ops.quantile`.

    Args:
        x: float16, bfloat16, float32 or float64; where nothing is interpolated also integers of 8
            to 64 bits.
        q: A vector of fractions in [0, 1], or of ranks.
        method: As for `tailops.ops.quantile`; or "rank" or "rank_from_top", by which q is a
            0-based rank, in ascending or descending order.
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out.
        weights: How much each element counts, of x's shape; with the methods "inverted_cdf" and
            "floor". None: each counts once.
        threads: How many threads may work.

    Returns:
        Of x's dtype: q's shape, then that of x without the axis.

    Raises:
        ValueError: An argument is out of range, there is nothing to select from, or a method
            that interpolates, of integers; a weight is negative or not finite, or all of a group
            are 0.

    Example:
        >>> select(np.array([4.0, 1.0, 2.0]), [0.5, 0.75]).tolist()
        [2.0, 3.0]
    """
    return select_forward(
        x, q, method=method, axis=axis, ignore_nan=ignore_nan, weights=weights, threads=threads
    ).value


def select_forward(
    x: ArrayLike,
    q: ArrayLike,
    *,
    method: str = "linear",
    axis: int | None = None,
    ignore_nan: bool = False,
    weights: ArrayLike | None = None,
    threads: int = 1,
) -> Selection:
    """As `select`, with the state for `select_backward`.

    Args:
        x: As for `select`.
        q: As for `select`.
        method: As for `select`.
        axis: As for `select`.
        ignore_nan: As for `select`.
        weights: As for `select`; the gradient is then to be multiplied by them.
        threads: As for `select`.

    Returns:
        The values, and the state: a row per group, four columns for each q.

    Raises:
        ValueError: As for `select`.
    """
    array = np.asarray(x, order="C")
    fractions = np.asarray(q, np.float64).reshape(-1)
    options = _kernels.SelectionOptions(method, ignore_nan, axis)
    geometry = _kernels.SelectionGeometry(list(array.shape), options)
    value = np.empty((fractions.size, *geometry.group_shape), array.dtype)
    state = np.empty((geometry.groups, _kernels.SELECTION_COLUMNS * fractions.size))
    _kernels.select(
        array.dtype.name,
        array,
        weights_like(weights, array.shape, "x"),
        geometry,
        options,
        fractions.tolist(),
        value,
        state,
        thread_count(threads),
    )
    return Selection(value, state)


def select_backward(
    upstream: ArrayLike,
    x: ArrayLike,
    state: NDArray[np.float64],
    *,
    axis: int | None = None,
    threads: int = 1,
) -> NDArray[Any]:
    """The gradient of Σ upstream · value by x.

    Args:
        upstream: The gradient that arrives at the values, of their shape.
        x: As for `select_forward`; floating.
        state: What `select_forward` returned for it.
        axis: As for `select_forward`.
        threads: How many threads may work.

    Returns:
        An array like x.

    Raises:
        ValueError: Upstream or state are not of their shape or dtype.

    Example:
        >>> x = np.array([4.0, 1.0, 2.0])
        >>> select_backward([1.0], x, select_forward(x, [0.75]).state).tolist()
        [0.5, 0.0, 0.5]
    """
    array = np.asarray(x, order="C")
    geometry = _kernels.SelectionGeometry(
        list(array.shape), _kernels.SelectionOptions("rank", False, axis)
    )
    arriving = np.asarray(upstream, array.dtype, order="C")
    count = state.shape[1] // _kernels.SELECTION_COLUMNS if state.ndim == 2 else 0
    for name, given, shape in (
        ("upstream", arriving, (count, *geometry.group_shape)),
        ("state", state, (geometry.groups, _kernels.SELECTION_COLUMNS * count)),
    ):
        if given.shape != shape:
            raise ValueError(f"{name} of shape {given.shape}: must be {shape}")
    if state.dtype != np.float64:
        raise ValueError(f"state of dtype {state.dtype}: must be what select_forward returned")
    gradient = np.empty_like(array, order="C")
    _kernels.select_gradient(
        array.dtype.name,
        arriving,
        array,
        np.ascontiguousarray(state),
        geometry,
        count,
        gradient,
        thread_count(threads),
    )
    return gradient
