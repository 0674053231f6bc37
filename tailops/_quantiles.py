"""What is asked of a selection, checked where it is known: one text for all frameworks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailops import _kernels
from tailops._checks import require_one_of
from tailops._options import RANK_RULES
from tailops._weights import require_method_of_weights

# What is said of the public functions' arguments, where a framework says nothing else.
TEXTS = {
    "axis": "Along which: an integer, a tuple of them (also as tensors whose value is known), "
    "or None, over all elements.",
    "method": 'Any of NumPy\'s. On the rank q·(n − 1): "linear", "lower", "higher", "nearest" '
    '(half to even), "midpoint". By the distribution function, on n·q: "inverted_cdf", '
    '"averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf". On '
    'other plotting positions: "hazen", "weibull", "median_unbiased", '
    '"normal_unbiased". Or "floor", rank min(⌊n·q⌋, n − 1), as in the losses.',
    "keepdims": "Whether reduced axes stay, with size 1.",
    "return_indices": "Whether to return as well where the value is, for methods that do not "
    "interpolate: the first of equal elements, counted along the axis, or in the order of "
    "memory where there are several. Places count NaN, too.",
    "weights": 'How much each element counts, with the methods "inverted_cdf" and "floor": finite, '
    "at least 0, and in each group one above 0; of x's shape, or of that of its axes. "
    "An element of weight 2 counts as two. None: each counts once. There is no gradient "
    "by them. Where NaN is left out, its weight is, too.",
}


def may_interpolate(method: str, return_indices: bool, has_weights: bool) -> bool:
    """Whether a method may give what lies between two elements.

    Raises:
        ValueError: There is none of this name, or it does not go with places or weights.
    """
    require_one_of("method", method, RANK_RULES)
    if has_weights:
        require_method_of_weights(method)
    interpolates = method in _kernels.INTERPOLATING_METHODS
    if interpolates and return_indices:
        raise ValueError(
            f"return_indices=True with method={method!r}: it may be between two elements"
        )
    return interpolates


def require_in_range(argument: str, known: float, low: int, high: int | None) -> None:
    """Raises ValueError unless it is; None: no end is known."""
    if low <= known and (high is None or known <= high):
        return
    limits = f"in [{low}, {high}]" if high is not None else f"at least {low}"
    raise ValueError(f"{argument}={known}: must be {limits}")


def require_parts(q: NDArray[np.float64], whole: int) -> None:
    """Raises ValueError unless all are parts of the whole."""
    outside = q[~((q >= 0) & (q <= whole))]
    if outside.size:
        raise ValueError(f"q={outside.flat[0]}: must be in [0, {whole}]")


def known_fractions(q: Any, whole: int) -> NDArray[np.float64]:
    """Parts of a whole as fractions.

    Args:
        q: Numbers that NumPy makes an array of.
        whole: 1, or 100 where they are percentages.

    Raises:
        TypeError: They are no real numbers.
        ValueError: One is out of range.
    """
    array = np.asarray(q)
    if array.dtype.kind not in "fiu" and array.dtype.name != "bfloat16":
        raise TypeError(f"q={q!r}: must be real numbers")
    parts = array.astype(np.float64)
    require_parts(parts, whole)
    return np.asarray(parts / whole)


def hundredths(parts: Any, digits: int) -> Any:
    """Of a framework's floats of so many bits, rounded once.

    Compilers make a product with a rounded 1/100 of a quotient, by which 70 % would be
    0.7000000000000001. What that leaves of the parts is exact where its halves are taken one by
    one, and corrects it.
    """
    quotient = parts / 100
    wide = quotient * (2.0 ** ((digits + 1) // 2) + 1)
    leading = wide - (wide - quotient)
    left = (parts - leading * 100) - (quotient - leading) * 100
    return quotient + left / 100
