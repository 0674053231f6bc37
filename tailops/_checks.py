"""What targets and predictions must be, whatever the framework."""

import math
import operator
from collections.abc import Collection
from numbers import Real
from typing import Any

import ml_dtypes
import numpy as np

FLOATING = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def require_dtypes(y_true: str, y_pred: str, ignore_value: float | None = None) -> None:
    """Raises TypeError unless these names of dtypes are of real targets, floating predictions.

    And ValueError if the value cannot occur in y_true. Integer targets are allowed, as in Keras's
    own losses, and cast to the predictions' dtype.
    """
    if y_pred not in FLOATING:
        raise TypeError(f"y_pred of dtype {y_pred}: must be one of {', '.join(FLOATING)}")
    if not (y_true in FLOATING or y_true.startswith(("int", "uint"))):
        raise TypeError(f"y_true of dtype {y_true}: must be real numbers")
    if ignore_value is not None:
        require_possible("ignore_value", ignore_value, y_true)


_DENSE_INSTEAD = {
    "RaggedTensor": "Take its flat_values; or, to keep its rows, to_tensor(nan), and leave NaN out "
    "(nanquantile, or ignore_nan=True)",
    "SparseTensor": "tf.sparse.to_dense makes it so",
    "IndexedSlices": "tf.convert_to_tensor makes it so",
}


def require_dense(argument: str, values: Any) -> None:
    """Raises TypeError for what TensorFlow has besides dense tensors; does not import it."""
    kind = type(values).__name__
    if kind in _DENSE_INSTEAD:
        raise TypeError(f"{argument} is a {kind}: must be dense. {_DENSE_INSTEAD[kind]}")


def foreign_dtype(values: Any) -> str | None:
    """The name of a dtype of NumPy that no framework has: object, longdouble; None for others."""
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and (dtype.kind == "O" or dtype.char in "gG"):
        return dtype.name
    return None


def number(argument: str, value: object) -> float:
    """The value as a float; TypeError unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument}={value!r}: must be a number, not {type(value).__name__}")
    return float(value)


def boolean(argument: str, value: object) -> bool:
    """A bool; TypeError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument}={value!r}: must be a bool, not {type(value).__name__}")
    return bool(value)


def string(argument: str, value: object) -> str:
    """A string; TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{argument}={value!r}: must be a string, not {type(value).__name__}")
    return value


def index(value: object) -> int:
    """An integer of any library; TypeError for anything else, also a bool."""
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)  # type: ignore[arg-type]


def integer(argument: str, value: object, least: int) -> int:
    """An integer, at least so large; TypeError for anything else, ValueError for a smaller one."""
    try:
        found = index(value)
    except TypeError:
        raise TypeError(
            f"{argument}={value!r}: must be an integer, not {type(value).__name__}"
        ) from None
    if found < least:
        raise ValueError(f"{argument}={value!r}: must be at least {least}")
    return found


def axis(argument: str, value: object) -> int | None:
    """An integer or None; TypeError for anything else."""
    if value is None:
        return None
    try:
        return index(value)
    except TypeError:
        raise TypeError(
            f"{argument}={value!r}: must be an integer or None, not {type(value).__name__}"
        ) from None


def optional_number(argument: str, value: object) -> float | None:
    """As `number`, or None."""
    return None if value is None else number(argument, value)


def require_one_of(argument: str, value: str, allowed: Collection[str], when: str = "") -> None:
    """Raises ValueError for any other value."""
    if value not in allowed:
        raise ValueError(
            f"{argument}={value!r}: must be one of {', '.join(map(repr, allowed))}{when}"
        )


def require_possible(argument: str, value: float, dtype: str) -> None:
    """Raises ValueError if no tensor of this dtype can hold the value."""
    if dtype.startswith(("int", "uint")):
        limits = np.iinfo(dtype)
        possible = float(value).is_integer() and limits.min <= value <= limits.max
        allowed = f"an integer in [{limits.min}, {limits.max}]"
    else:
        largest = float(ml_dtypes.finfo(dtype).max)
        possible = math.isinf(value) or abs(value) <= largest
        allowed = f"within ±{largest:g}, or infinite"
    if not possible:
        raise ValueError(
            f"{argument}={value!r}: cannot occur in y_true of dtype {dtype}; must be {allowed}"
        )


def rank_of(shape: Any) -> int | None:
    """How many dimensions; None where a shape of TensorFlow does not know."""
    return shape.rank if hasattr(shape, "rank") else len(shape)


def same_rank(framework: Any, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Keras's rule: a last axis of 1 is added to a vector, and dropped from anything else.

    Args:
        framework: A module with NumPy's `expand_dims` and `squeeze`.
        y_true: A tensor of it.
        y_pred: Another.
    """
    true_rank, pred_rank = rank_of(y_true.shape), rank_of(y_pred.shape)
    if true_rank is None or pred_rank is None or abs(true_rank - pred_rank) != 1:
        return y_true, y_pred
    long, short = (y_true, y_pred) if true_rank > pred_rank else (y_pred, y_true)
    if long.shape[-1] == 1:
        if min(true_rank, pred_rank) == 1:
            short = framework.expand_dims(short, -1)
        else:
            long = framework.squeeze(long, -1)
    return (long, short) if true_rank > pred_rank else (short, long)


def shapes_differ(y_true: Any, y_pred: Any) -> ValueError:
    """The error for shapes that would at best broadcast: (B,) against (B, 1) becomes (B, B)."""
    return ValueError(
        f"y_true of shape {y_true} and y_pred of shape {y_pred}: must be the same, up to a last "
        "axis of 1; nothing is broadcast"
    )


def like(framework: Any, mask: Any, y_pred: Any) -> Any:
    """A mask of y_pred's shape, from one that may lack the last axis, as Keras's masks do.

    Args:
        framework: A module with NumPy's `expand_dims` and `broadcast_to`.
        mask: A boolean tensor of it, of known rank.
        y_pred: Another, of any dtype.
    """
    rank, pred_rank = rank_of(mask.shape), rank_of(y_pred.shape)
    if rank is None or pred_rank is None or rank == pred_rank:
        return mask
    if pred_rank < 2 or rank + 1 != pred_rank or tuple(mask.shape) != tuple(y_pred.shape)[:-1]:
        raise ValueError(
            f"mask of shape {mask.shape}: must be that of y_pred, {y_pred.shape}, or that without "
            "its last axis"
        )
    return framework.expand_dims(mask, -1) & framework.ones_like(y_pred, dtype=bool)
