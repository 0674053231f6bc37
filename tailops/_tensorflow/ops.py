"""`tailops.ops` where Keras runs on TensorFlow: the native ops."""

from typing import Any

import tensorflow as tf

from tailops._families import documented
from tailops._options import TailOptions
from tailops._tensorflow import tail_loss as _tail_loss
from tailops._tensorflow import xla
from tailops._tensorflow.symbolic import takes_symbolic_tensors
from tailops.selection import (
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    nth_element,
    percentile,
    quantile,
    top_k_mean,
)
from tailops.tail_of_values import (
    average_top_k,
    cvar,
    ohem,
    range_mean,
    tail_mask,
    tail_weighted,
    trimmed_mean,
)

__all__ = [
    "TailOptions",
    "average_top_k",
    "cvar",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "nth_element",
    "ohem",
    "percentile",
    "quantile",
    "range_mean",
    "tail_loss",
    "tail_mask",
    "tail_weighted",
    "top_k_mean",
    "trimmed_mean",
]

xla.load_kernels()


@takes_symbolic_tensors
@documented()
def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> tf.Tensor:
    """The tail loss in one op; formulas as in `tailops.losses.percentile_loss`.

    Targets and predictions may be Keras's symbolic tensors; then so is the loss.

    Args:
        ...: `help()` describes it, from the tables of `tailops._families`.

    Returns:
        The loss, of y_pred's dtype.

    Raises:
        TypeError, ValueError: Arguments that Python can see to be wrong.
        tf.errors.InvalidArgumentError: Shapes that differ, are empty or have no such axis, where
            only run time knows.

    Example:
        >>> float(tail_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], reduction="mean"))
        9.0
    """
    return _tail_loss.tail_loss(
        y_true, y_pred, options or TailOptions(), reduction=reduction, mask=mask
    )
