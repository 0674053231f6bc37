"""Losses of elements made one per sample, or one: as the fused op reduces them, in plain ops."""

from typing import Any

from tailops._checks import rank_of
from tailops._inputs import Tensors

__all__ = ["reduced"]


def reduced(tensors: Tensors, losses: Any, valid: Any, reduction: str) -> Any:
    """The losses, reduced; means are over the elements that count, and of none 0.

    Args:
        tensors: Of the framework.
        losses: Of each element, 0 where it is ignored.
        valid: Where it is not; None: all count.
        reduction: As of the op.

    Raises:
        ValueError: Samples cannot be told from elements, since the rank is unknown.
    """
    if reduction == "none":
        return losses
    dtype = tensors.dtype_of("losses", losses)
    wide = losses if dtype == "float64" else tensors.cast(losses, "float32")
    counts = tensors.ones_like(wide) if valid is None else tensors.cast(valid, wide.dtype)
    if reduction == "mean":
        result = tensors.divide_no_nan(tensors.total(wide), tensors.total(counts))
    else:
        rank = rank_of(wide.shape)
        if rank is None:
            raise ValueError(f"reduction={reduction!r}: needs the rank of y_pred: it is unknown")
        result = wide
        if rank >= 2:
            sums = tensors.total(wide, axis=-1), tensors.total(counts, axis=-1)
            result = tensors.divide_no_nan(*sums)
        if reduction == "sum":
            result = tensors.total(result)
    return tensors.cast(result, losses.dtype)
