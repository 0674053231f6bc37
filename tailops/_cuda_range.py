"""The kernels of range means on device arrays; `tailops.cuda` has them."""

from typing import Any, NamedTuple

from tailops import _kernels
from tailops._device_arrays import library_of, require, require_weights

_ON_HOST = 0  # no address


class RangeMean(NamedTuple):
    """What `range_mean_forward` returns: the means, and the float64 state of each group."""

    mean: Any
    state: Any


def _mask(library: Any, mask: Any, shape: tuple[int, ...]) -> int:
    return 0 if mask is None else require(library, "mask", mask, "bool", shape)


def range_mean(
    values: Any,
    bounds: Any,
    kind: str,
    axis: int | None = None,
    mask: Any = None,
    *,
    weights: Any = None,
) -> Any:
    """The mean of a device array's values between two places of their order.

    The formula is that of `tailops.kernels.range_mean`.

    Args:
        values: Contiguous, of PyTorch or CuPy: float16, bfloat16, float32 or float64, any shape.
        bounds: Two numbers, by kind; or a float64 array of the two on the device, which may hold
            others whenever the call is replayed.
        kind: "between": bounds are fractions a < b of [0, 1], and the range is [a·n, b·n].
            "largest": bounds are k and 0, and the range is [n - k, n]; k need not be whole.
            "at_least": bounds are a threshold and m ≥ 1; the mean is over what is at least the
            threshold, or at least the m-th largest value where that is lower.
        axis: Along which; None: over all elements.
        mask: Booleans of the values' shape, on the device: True where an element counts. None:
            everywhere.
        weights: How much each element counts, on the device, of the values' shape: float32 or
            float64; for "between" and without a mask. None: each counts once.

    Returns:
        Of the values' dtype, of their shape without the axis, of the same library; 0 for a group in
        which nothing counts. NaN for one with a NaN that counts; and, since nothing waits for the
        device, where bounds on it are out of range, k is above the number of values that count, or
        a weight is negative or not finite.

    Raises:
        ValueError: Bounds on the host are out of range, or there is no such kind or axis; an array
            is empty, not contiguous, or not like the values; a kind or a mask that weights do not
            go with.
        RuntimeError: CUDA refuses, or tailops was built without it.
    """
    return range_mean_forward(values, bounds, kind, axis, mask, weights=weights).mean


def range_mean_forward(
    values: Any,
    bounds: Any,
    kind: str,
    axis: int | None = None,
    mask: Any = None,
    *,
    weights: Any = None,
) -> RangeMean:
    """As `range_mean`, with the state for `range_mean_backward`.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.
        weights: As for `range_mean`; the gradient is then to be multiplied by them.

    Returns:
        The means, and the state: a row of each group.

    Raises:
        ValueError, RuntimeError: As for `range_mean`.
    """
    library = library_of("values", values)
    dtype, shape = library.dtype(values), tuple(values.shape)
    options = _kernels.RangeOptions(kind, axis)
    geometry = _kernels.range_geometry(list(shape), options)
    address = require(library, "values", values, dtype, shape)
    masked = _mask(library, mask, shape)
    weighed, are_wide = require_weights(library, weights, shape)
    if library.is_here(bounds):
        own, on_device = (0.0, 0.0), require(library, "bounds", bounds, "float64", (2,))
    else:
        first, second = bounds
        own, on_device = (float(first), float(second)), _ON_HOST
    with library.device:
        mean = library.empty(tuple(geometry.group_shape), dtype)
        state = library.empty((geometry.groups, _kernels.RANGE_COLUMNS), "float64")
        workspace = library.empty(
            _kernels.cuda_range_workspace(dtype, weighed, geometry, options) + 1, "uint8"
        )
        _kernels.cuda_range_mean(
            dtype,
            address,
            masked,
            weighed,
            are_wide,
            geometry,
            options,
            own,
            on_device,
            library.address(mean),
            library.address(state),
            library.address(workspace),
            library.stream(),
        )
    return RangeMean(mean, state)


def range_mean_backward(
    upstream: Any,
    values: Any,
    state: Any,
    axis: int | None = None,
    mask: Any = None,
    *,
    out: Any = None,
) -> Any:
    """The gradient of Σ upstream · mean by the values: of each its weight, times the upstream.

    Args:
        upstream: The gradient that arrives at the means, of their shape and dtype.
        values: As for `range_mean_forward`.
        state: What `range_mean_forward` returned for them.
        axis: As for `range_mean_forward`.
        mask: As for `range_mean_forward`.
        out: Where to write the result, which may be the values; None: a new array.

    Returns:
        An array like the values, or `out`.

    Raises:
        ValueError, RuntimeError: As for `range_mean`.
    """
    library = library_of("values", values)
    dtype, shape = library.dtype(values), tuple(values.shape)
    options = _kernels.RangeOptions(_kernels.RANGE_KINDS[0], axis)
    geometry = _kernels.range_geometry(list(shape), options)
    columns = (geometry.groups, _kernels.RANGE_COLUMNS)
    arriving = require(library, "upstream", upstream, dtype, tuple(geometry.group_shape))
    states = require(library, "state", state, "float64", columns)
    address = require(library, "values", values, dtype, shape)
    masked = _mask(library, mask, shape)
    with library.device:
        gradient = library.empty(shape, dtype) if out is None else out
        _kernels.cuda_range_mean_gradient(
            dtype,
            arriving,
            address,
            masked,
            states,
            geometry,
            require(library, "out", gradient, dtype, shape),
            library.stream(),
        )
    return gradient
