"""The CUDA kernels on the device arrays of PyTorch and CuPy, without TensorFlow.

They run on the current stream of the arrays' own library, wait for nothing, and can be captured in
a CUDA graph. Compiled and checked in an emulation; not yet measured on hardware.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tailops import _kernels
from tailops._build import build_info
from tailops._cuda_range import (
    RangeMean,
    range_mean,
    range_mean_backward,
    range_mean_forward,
)
from tailops._device_arrays import library_of, require, require_cuda, require_weights
from tailops._families import documented
from tailops._options import TailOptions
from tailops._state import rows

__all__ = [
    "Forward",
    "RangeMean",
    "Selection",
    "TailOptions",
    "backward",
    "device_count",
    "forward",
    "prepare",
    "range_mean",
    "range_mean_backward",
    "range_mean_forward",
    "select_backward",
    "select_forward",
]


def device_count() -> int:
    """How many GPUs the kernels can use: 0 without a driver, or built without CUDA."""
    return _kernels.cuda_device_count() if build_info()["cuda"] else 0


def prepare() -> None:
    """Loads every kernel onto the current device, which is slow the first time and then nothing.

    CUDA loads a kernel when it is first asked for. Drivers for CUDA 12.3 and later are said to do
    that also while a stream is captured; for older ones, call this, or once what is to be captured,
    before the first capture in a process.

    Raises:
        RuntimeError: If tailops was built without CUDA, or CUDA refuses: without a GPU, say.
    """
    require_cuda()
    _kernels.cuda_prepare()


class Forward(NamedTuple):
    """What `forward` returns: the loss, and a row of float64 per group; see `tailops._state`."""

    loss: Any
    state: Any


def _inputs(library: Any, y_true: Any, y_pred: Any, mask: Any) -> tuple[int, int, int]:
    dtype, shape = library.dtype(y_pred), tuple(y_pred.shape)
    return (
        require(library, "y_true", y_true, dtype, shape),
        require(library, "y_pred", y_pred, dtype, shape),
        0 if mask is None else require(library, "mask", mask, "bool", shape),
    )


@documented()
def forward(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> Forward:
    """The tail loss of device arrays; formulas as in `tailops.losses.percentile_loss`.

    Args:
        y_true: Targets, contiguous, of PyTorch or CuPy.
        y_pred: Predictions of the same shape and dtype: float16, bfloat16, float32 or float64.
        ...: `help()` describes it, from the tables of `tailops._families`.
        mask: Booleans of y_pred's shape, on the device: True where an element counts. None:
            everywhere.

    Returns:
        The loss, and the state for `backward`, of the same library as y_pred.

    Raises:
        ValueError: Shapes, dtypes or devices differ, an array is empty or not contiguous, or an
            argument is out of range.
        RuntimeError: CUDA refuses, or tailops was built without it.
    """
    options = options or TailOptions()
    library = library_of("y_pred", y_pred)
    inputs = _inputs(library, y_true, y_pred, mask)
    dtype = library.dtype(y_pred)
    geometry = _kernels.Geometry(list(y_pred.shape), options.axis, reduction)
    chosen = options.for_kernels()
    with library.device:
        loss = library.empty(tuple(geometry.output_shape), dtype)
        state = library.empty(rows(geometry.groups), "float64")
        workspace = library.empty(
            _kernels.cuda_workspace(dtype, inputs[2], geometry, chosen, True) + 1, "uint8"
        )
        _kernels.cuda_forward(
            dtype,
            *inputs,
            geometry,
            chosen,
            library.address(loss),
            library.address(state),
            library.address(workspace),
            library.stream(),
        )
    return Forward(loss, state)


@documented()
def backward(
    upstream: Any,
    y_true: Any,
    y_pred: Any,
    state: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
    out: Any = None,
) -> Any:
    """The gradient of Σ upstream · loss by y_pred; by y_true, if read, the negative.

    Args:
        upstream: The gradient that arrives at the loss, of the loss's shape and dtype.
        y_true: As for `forward`.
        y_pred: As for `forward`.
        state: What `forward` returned for these inputs and options.
        ...: `help()` describes it, from the tables of `tailops._families`.
        mask: As for `forward`.
        out: Where to write the result, which may be y_true or y_pred; None: a new array.

    Returns:
        An array like y_pred, or `out`.

    Raises:
        ValueError, RuntimeError: As for `forward`.
    """
    options = options or TailOptions()
    library = library_of("y_pred", y_pred)
    inputs = _inputs(library, y_true, y_pred, mask)
    dtype, shape = library.dtype(y_pred), tuple(y_pred.shape)
    geometry = _kernels.Geometry(list(shape), options.axis, reduction)
    arriving = require(library, "upstream", upstream, dtype, tuple(geometry.output_shape))
    states = require(library, "state", state, "float64", rows(geometry.groups))
    chosen = options.for_kernels()
    with library.device:
        gradient = library.empty(shape, dtype) if out is None else out
        workspace = library.empty(
            _kernels.cuda_workspace(dtype, inputs[2], geometry, chosen, False) + 1, "uint8"
        )
        _kernels.cuda_backward(
            dtype,
            arriving,
            *inputs,
            states,
            geometry,
            chosen,
            require(library, "out", gradient, dtype, shape),
            library.address(workspace),
            library.stream(),
        )
    return gradient


class Selection(NamedTuple):
    """What `select_forward` returns: the values, and the float64 state for `select_backward`."""

    value: Any
    state: Any


def _selection(shape: tuple[int, ...], method: str, axis: int | None, ignore_nan: bool) -> Any:
    options = _kernels.SelectionOptions(method, ignore_nan, axis)
    return options, _kernels.SelectionGeometry(list(shape), options)


def select_forward(
    x: Any,
    q: Sequence[float],
    *,
    method: str = "linear",
    axis: int | None = None,
    ignore_nan: bool = False,
    weights: Any = None,
) -> Selection:
    """Quantiles of a device array, or its elements of given ranks; as `tailops.ops.quantile`.

    Args:
        x: Contiguous, of PyTorch or CuPy: float16, bfloat16, float32 or float64; where nothing is
            interpolated also integers of 8 to 64 bits.
        q: Fractions in [0, 1], or ranks, on the host.
        method: As for `tailops.ops.quantile`; or "rank" or "rank_from_top", by which q is a
            0-based rank, in ascending or descending order.
        axis: Along which; None: over all elements.
        ignore_nan: Whether NaN is left out.
        weights: How much each element counts, on the device, of x's shape: float32 or float64;
            with the methods "inverted_cdf" and "floor". The gradient is then to be multiplied by
            them. None: each counts once.

    Returns:
        The values: for every q, x's shape without the axis; and the state for `select_backward`.
        Both of the same library as x. Where a weight is negative or not finite, or all of a group
        are 0, its values are NaN, since nothing waits for the device.

    Raises:
        ValueError: x is empty or not contiguous, an argument is out of range, or a method with
            weights that has none.
        RuntimeError: CUDA refuses, or tailops was built without it.
    """
    library = library_of("x", x)
    dtype, shape = library.dtype(x), tuple(x.shape)
    options, geometry = _selection(shape, method, axis, ignore_nan)
    fractions = [float(one) for one in q]
    address = require(library, "x", x, dtype, shape)
    weighed, are_wide = require_weights(library, weights, shape)
    with library.device:
        value = library.empty((len(fractions), *geometry.group_shape), dtype)
        state = library.empty(
            (geometry.groups, _kernels.SELECTION_COLUMNS * len(fractions)), "float64"
        )
        workspace = library.empty(
            _kernels.cuda_selection_workspace(dtype, weighed, geometry, options, fractions) + 1,
            "uint8",
        )
        _kernels.cuda_select(
            dtype,
            address,
            weighed,
            are_wide,
            geometry,
            options,
            fractions,
            library.address(value),
            library.address(state),
            library.address(workspace),
            library.stream(),
        )
    return Selection(value, state)


def select_backward(
    upstream: Any, x: Any, state: Any, *, axis: int | None = None, out: Any = None
) -> Any:
    """The gradient of Σ upstream · value by x.

    Args:
        upstream: The gradient that arrives at the values, of their shape and dtype.
        x: As for `select_forward`; floating.
        state: What `select_forward` returned for it.
        axis: As for `select_forward`.
        out: Where to write the result, which may be x; None: a new array.

    Returns:
        An array like x, or `out`.

    Raises:
        ValueError, RuntimeError: As for `select_forward`.
    """
    library = library_of("x", x)
    dtype, shape = library.dtype(x), tuple(x.shape)
    _, geometry = _selection(shape, "rank", axis, False)
    count = int(state.shape[1]) // _kernels.SELECTION_COLUMNS if state.ndim == 2 else 0
    columns = (geometry.groups, _kernels.SELECTION_COLUMNS * count)
    values = (count, *geometry.group_shape)
    arriving = require(library, "upstream", upstream, dtype, values)
    states = require(library, "state", state, "float64", columns)
    address = require(library, "x", x, dtype, shape)
    with library.device:
        gradient = library.empty(shape, dtype) if out is None else out
        _kernels.cuda_select_gradient(
            dtype,
            arriving,
            address,
            states,
            geometry,
            count,
            require(library, "out", gradient, dtype, shape),
            library.stream(),
        )
    return gradient
