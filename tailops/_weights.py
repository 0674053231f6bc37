"""How much each element counts, checked where it is known: one text for all frameworks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailops import _kernels
from tailops._axes import as_one_axis
from tailops._checks import require_dense, require_one_of
from tailops._inputs import Tensors

REAL = "fiub"
SYNCHRONIZED_WEIGHTS = (
    "synchronized=True with weights: must be False, since replicas do not add up weights"
)


def require_method_of_weights(method: str) -> None:
    """Raises ValueError if the method asks how many elements there are."""
    require_one_of("method", method, _kernels.METHODS_OF_WEIGHTS, " with weights")


def known_weights(weights: Any) -> NDArray[np.floating]:
    """Those that NumPy makes an array of: in float32 if that is what they are, else in float64.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is negative or not finite.
    """
    require_dense("weights", weights)
    array = np.asarray(weights)
    if array.dtype.kind not in REAL and array.dtype.name != "bfloat16":
        raise TypeError(f"weights of dtype {array.dtype}: must be real numbers")
    known = array if array.dtype == np.float32 else array.astype(np.float64)
    wrong = known[~(np.isfinite(known) & (known >= 0))]
    if wrong.size:
        raise ValueError(f"weights: one is {wrong.flat[0]}: must be finite and at least 0")
    return known


def weights_of_rows(tensors: Tensors, weights: Any, x: Any, axis: Any, axes: list[int]) -> Any:
    """Weights in the shape that x has where its axes are made one, as `as_one_axis` makes it.

    Args:
        tensors: The framework's.
        weights: A tensor of x's shape, or of that of its axes, in the order that `axis` has them.
        x: What they are of.
        axis: As NumPy has it, or a tensor that is known.
        axes: The same in ascending order, counted from the front.

    Raises:
        ValueError: They are of another shape.
    """
    return as_one_axis(tensors, _like(tensors, weights, x, axis, axes), axes)[0]


def _like(tensors: Tensors, weights: Any, x: Any, axis: Any, axes: list[int]) -> Any:
    """Weights of x's shape."""
    rank, sizes = len(x.shape), tensors.sizes(x)
    if len(weights.shape) == rank and tensors.same_shape(weights, x):
        return weights
    axis = tensors.known_axis(axis)
    expected = ""
    if axis is not None:
        given = [a % rank for a in (axis if isinstance(axis, tuple | list) else [axis])]
        shape = tuple(x.shape[a] for a in given)
        if len(weights.shape) == len(given) and _may_be(tuple(weights.shape), shape):
            order = [given.index(a) for a in axes]
            along = tensors.transpose(weights, order) if len(order) > 1 else weights
            ones = [size if a in axes else 1 for a, size in enumerate(sizes)]
            return tensors.broadcast_to(tensors.reshape(along, ones), sizes)
        expected = f", or along axis={axis!r} {shape}"
    raise ValueError(
        f"weights of shape {tuple(weights.shape)}: must be that of x, {tuple(x.shape)}{expected}"
    )


def _may_be(shape: tuple[Any, ...], expected: tuple[Any, ...]) -> bool:
    pairs = zip(shape, expected, strict=True)
    return all(a == b or a is None or b is None for a, b in pairs)
