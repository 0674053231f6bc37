"""Numbers that may change from step to step: Python's, or a framework's scalars."""

from numbers import Real
from typing import Any

import numpy as np

from tailops._checks import FLOATING, number, rank_of

__all__ = ["number_in_config", "number_or_scalar", "require_scalar"]


def number_or_scalar(argument: str, value: Any) -> Any:
    """A number as a float; a tensor or a variable, which a step reads, as it is.

    Raises:
        TypeError: It is neither.
        ValueError: It is no scalar.
    """
    if isinstance(value, Real) or not (hasattr(value, "shape") and hasattr(value, "dtype")):
        return number(argument, value)
    require_scalar(argument, str(getattr(value.dtype, "name", value.dtype)), value.shape)
    return value


def require_scalar(argument: str, dtype: str, shape: Any) -> None:
    """Raises TypeError for a tensor of a dtype that no real number has, ValueError if no scalar."""
    if not (dtype in FLOATING or dtype.startswith(("int", "uint"))):
        raise TypeError(f"{argument} of dtype {dtype}: must be a number")
    if rank_of(shape) not in (0, None):
        raise ValueError(f"{argument} of shape {tuple(shape)}: must be a scalar")


def number_in_config(value: Any) -> Any:
    """What of a number can be saved: of a variable or a tensor what it holds now."""
    if value is None or isinstance(value, Real | str):
        return value
    return float(np.asarray(value))
