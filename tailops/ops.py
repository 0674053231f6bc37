"""The native TensorFlow ops: the tail loss, one op forward and one backward; and selection."""

from typing import Any

import keras
import tensorflow as tf

from tailops import reference
from tailops._families import documented
from tailops._inputs import as_inputs
from tailops._options import TailOptions, require_reduction
from tailops._tensorflow import tensors, xla
from tailops._tensorflow.symbolic import takes_symbolic_tensors
from tailops._tensorflow.tail_loss import fused
from tailops.selection import median, nanquantile, nth_element, quantile, top_k_mean

__all__ = [
    "TailOptions",
    "median",
    "nanquantile",
    "nth_element",
    "quantile",
    "tail_loss",
    "top_k_mean",
]

xla.load_kernels()
keras.saving.register_keras_serializable(package="tailops")(TailOptions)


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
    options = options or TailOptions()
    if xla.must_fall_back():
        return reference.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)
    require_reduction(reduction)
    return fused(as_inputs(tensors, y_true, y_pred, options, mask), reduction)
