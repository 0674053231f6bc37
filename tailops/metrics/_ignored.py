"""Which elements are ignored: values that stand for a missing label, and NaN."""

import math
from typing import Any

import keras
import numpy as np

from tailops._checks import number, require_possible
from tailops.metrics._tensors import dtype_of


def optional_number(argument: str, value: object) -> float | None:
    """A number that is one, or None."""
    if value is None:
        return None
    result = number(argument, value)
    if math.isnan(result):
        raise ValueError(f"{argument}={value!r}: must be a number; ignore_nan=True ignores NaN")
    return result


def equals_any(argument: str, y_true: Any, values: tuple[float, ...]) -> Any:
    """Where y_true is one of these values, compared in y_true's own dtype."""
    found = keras.ops.zeros_like(y_true, dtype="bool")
    for value in values:
        require_possible(argument, value, dtype_of(y_true))
        same_dtype = keras.ops.convert_to_tensor(np.asarray(value, dtype_of(y_true)))
        found = keras.ops.logical_or(found, keras.ops.equal(y_true, same_dtype))
    return found


def is_nan(tensor: Any) -> Any:
    """Where it is NaN; nowhere, for integers."""
    if not dtype_of(tensor).startswith(("float", "bfloat")):
        return keras.ops.zeros_like(tensor, dtype="bool")
    return keras.ops.isnan(tensor)


def valid_elements(y_true: Any, y_pred: Any, ignore_value: float | None, ignore_nan: bool) -> Any:
    """Where the label is not `ignore_value`, and, if asked for, neither is NaN."""
    values = () if ignore_value is None else (ignore_value,)
    ignored = equals_any("ignore_value", y_true, values)
    if ignore_nan:
        either = keras.ops.logical_or(is_nan(y_true), is_nan(y_pred))
        ignored = keras.ops.logical_or(ignored, either)
    return keras.ops.logical_not(ignored)
