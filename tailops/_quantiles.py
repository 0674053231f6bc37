"""What is asked of a selection, checked where it is known: one text for all frameworks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
