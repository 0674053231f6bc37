"""What targets and predictions must be, whatever the framework."""

from numbers import Real
from typing import Any

FLOATING = ("float16", "bfloat16", "float32", "float64")


def require_dtypes(y_true: str, y_pred: str) -> None:
    """Raises TypeError unless these names of dtypes are of real targets, floating predictions.

    Integer targets are allowed, as in Keras's own losses, and cast to the predictions' dtype.
    """
    if y_pred not in FLOATING:
        raise TypeError(f"y_pred of dtype {y_pred}: must be one of {', '.join(FLOATING)}")
    if not (y_true in FLOATING or y_true.startswith(("int", "uint"))):
        raise TypeError(f"y_true of dtype {y_true}: must be real numbers")


def number(argument: str, value: object) -> float:
    """The value as a float; TypeError unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument}={value!r}: must be a number, not {type(value).__name__}")
    return float(value)


def _rank(shape: Any) -> int | None:
    return shape.rank if hasattr(shape, "rank") else len(shape)


def same_rank(framework: Any, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Keras's rule: a last axis of 1 is added to a vector, and dropped from anything else.

    Args:
        framework: A module with NumPy's `expand_dims` and `squeeze`.
        y_true: A tensor of it.
        y_pred: Another.
    """
    true_rank, pred_rank = _rank(y_true.shape), _rank(y_pred.shape)
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
