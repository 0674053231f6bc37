"""The kernels of range means on NumPy arrays; `tailops.kernels` has them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tailops import _kernels
from tailops._numpy import mask_like, output, thread_count, weights_like


class RangeMean(NamedTuple):
    """What `range_mean_forward` returns: the means, and the float64 state of each group."""

    mean: NDArray[Any]
    state: NDArray[np.float64]


def range_mean(
    values: ArrayLike,
    bounds: tuple[float, float],
    kind: str,
    axis: int | None = None,
    mask: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    threads: int = 1,
) -> NDArray[Any]:
    """The mean of a NumPy array's values between two places of their order.

    With the n values of a group in ascending order, position i is the interval [i, i + 1], and the
    mass of an element is what it has of the range:

        M = Σ mᵢ·v₍ᵢ₎ / Σ mᵢ,  mᵢ = |[i, i + 1] ∩ [begin, end]|

    Args:
        values: Any shape, float16, bfloat16, float32 or float64.
        bounds: Two numbers, by kind.
        kind: "between": bounds are fractions a < b of [0, 1], and the range is [a·n, b·n].
            "largest": bounds are k and 0, and the range is [n - k, n]; k need not be whole.
            "at_least": bounds are a threshold and m ≥ 1; the mean is over what is at least the
            threshold, or at least the m-th largest value where that is lower.
        axis: Along which; None: over all elements.
        mask: Booleans of the values' shape: True where an element counts. None: everywhere.
        weights: How much each element counts, of the values' shape, for "between" and without a
            mask: n is then all that they add up to, and an element has as many positions as its
            weight. None: each counts once.
        threads: How many threads may work.

    Returns:
        Of the values' dtype, of their shape without the axis; 0 for a group in which nothing
        counts, NaN for one with a NaN that counts.

    Raises:
        ValueError: There is no such range, kind or axis, the mask or the weights are not like the
            values, or a weight is negative or not finite.

    Example:
        >>> x = np.array([4.0, 1.0, 2.0, 8.0])
        >>> range_mean(x, (0.5, 1.0), "between").tolist()
        6.0
        >>> range_mean(x, (1.5, 0), "largest").tolist()  # 8 and half of 4
        6.666666666666666
        >>> range_mean(x, (3.0, 1), "at_least").tolist()  # 4 and 8
        6.0
    """
    return range_mean_forward(
        values, bounds, kind, axis, mask, weights=weights, threads=threads
    ).mean


def range_mean_forward(
    values: ArrayLike,
    bounds: tuple[float, float],
    kind: str,
    axis: int | None = None,
    mask: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    threads: int = 1,
) -> RangeMean:
    """As `range_mean`, with the state for `range_mean_gradient`.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.
        weights: As for `range_mean`; the gradient is then to be multiplied by them.
        threads: As for `range_mean`.

    Returns:
        The means, and the state: a row of each group.

    Raises:
        ValueError: As for `range_mean`.
    """
    array = np.asarray(values, order="C")
    options = _kernels.RangeOptions(kind, axis)
    geometry = _kernels.range_geometry(list(array.shape), options)
    mean = np.empty(geometry.group_shape, array.dtype)
    state = np.empty((geometry.groups, _kernels.RANGE_COLUMNS))
    first, second = bounds
    _kernels.range_mean(
        array.dtype.name,
        array,
        mask_like(mask, array.shape, "values"),
        weights_like(weights, array.shape, "values"),
        geometry,
        options,
        (float(first), float(second)),
        mean,
        state,
        thread_count(threads),
    )
    return RangeMean(mean, state)


def range_mean_gradient(
    upstream: ArrayLike,
    values: ArrayLike,
    state: NDArray[np.float64],
    axis: int | None = None,
    mask: ArrayLike | None = None,
    *,
    threads: int = 1,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """The gradient of Σ upstream · mean by the values: of each its weight, times the upstream.

    Args:
        upstream: The gradient that arrives at the means, of their shape.
        values: As for `range_mean_forward`.
        state: What `range_mean_forward` returned for them.
        axis: As for `range_mean_forward`.
        mask: As for `range_mean_forward`.
        threads: How many threads may work.
        out: Where to write the result: C-contiguous, of the values' shape and dtype. It may be
            `values`.

    Returns:
        An array like the values, or `out`.

    Raises:
        ValueError: Upstream, state, mask or out are not of their shape or dtype.

    Example:
        >>> x = np.array([4.0, 1.0, 2.0, 8.0])
        >>> _, state = range_mean_forward(x, (0.5, 1.0), "between")
        >>> range_mean_gradient(1.0, x, state).tolist()
        [0.5, 0.0, 0.0, 0.5]
    """
    array = np.asarray(values, order="C")
    geometry = _kernels.range_geometry(
        list(array.shape), _kernels.RangeOptions(_kernels.RANGE_KINDS[0], axis)
    )
    arriving = np.asarray(upstream, array.dtype, order="C")
    for name, given, shape in (
        ("upstream", arriving, geometry.group_shape),
        ("state", state, (geometry.groups, _kernels.RANGE_COLUMNS)),
    ):
        if given.shape != shape:
            raise ValueError(f"{name} of shape {given.shape}: must be {shape}")
    if state.dtype != np.float64:
        raise ValueError(f"state of dtype {state.dtype}: must be what range_mean_forward returned")
    gradient = output(out, array.shape, array.dtype, "values")
    _kernels.range_mean_gradient(
        array.dtype.name,
        arriving,
        array,
        mask_like(mask, array.shape, "values"),
        np.ascontiguousarray(state),
        geometry,
        gradient,
        thread_count(threads),
    )
    return gradient
