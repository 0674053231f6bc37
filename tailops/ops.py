"""The native TensorFlow ops: the tail loss, one op forward and one backward; and selection."""

from typing import Any, NoReturn

import keras
import tensorflow as tf

from tailops import _xla, reference
from tailops._inputs import as_inputs
from tailops._op_library import library
from tailops._options import ATTRIBUTES, TailOptions, require_reduction
from tailops._symbolic import takes_symbolic_tensors
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

_xla.load_kernels()
keras.saving.register_keras_serializable(package="tailops")(TailOptions)


@takes_symbolic_tensors
def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> tf.Tensor:
    """The tail loss in one op; formulas as in `tailops.losses.percentile_loss`.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16, bfloat16, float32
            or float64. Either may be one of Keras's symbolic tensors; then so is the loss.
        options: What to compute; None: the defaults.
        reduction: "none" (per element), "per_sample" (mean over the last axis; per element below
            two dimensions), "mean" or "sum" (of the per-sample losses). Means are over the
            elements that are not ignored, "mean" over all of those at once; of none, 0.
        mask: Booleans of y_pred's shape, or of that without its last axis: True where an element
            counts. None: everywhere.

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
    if _xla.must_fall_back():
        return reference.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)
    require_reduction(reduction)
    inputs = as_inputs(y_true, y_pred, options, mask)
    loss, _ = library.tailops_tail_loss(
        y_true=inputs.y_true,
        y_pred=inputs.y_pred,
        mask=[] if inputs.mask is None else [inputs.mask],
        reduction=reduction,
        **inputs.options.attributes(),
    )
    return loss


def _needs_gradient(op: Any, index: int) -> bool:
    """Whether anybody asked for the gradient by this input. A graph prunes what nobody did."""
    try:
        return index not in op.skip_input_indices
    except (AttributeError, TypeError):
        return True


@tf.RegisterGradient("Tailops>TailLoss")  # type: ignore[untyped-decorator]
def _tail_loss_gradient(op: Any, upstream: Any, _: Any) -> list[Any]:
    attributes = {name: op.get_attr(name) for name in (*ATTRIBUTES, "reduction", "axis")}
    y_true, y_pred, *mask = op.inputs
    gradient = library.tailops_tail_loss_grad(
        upstream=upstream,
        y_true=y_true,
        y_pred=y_pred,
        state=op.outputs[1],
        mask=mask,
        **attributes,
    )
    return [-gradient if _needs_gradient(op, 0) else None, gradient, *(None for _ in mask)]


@tf.RegisterGradient("Tailops>TailLossGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "The fused tail loss has no second derivative. For one, use impl='reference' of the "
        "functions in tailops.losses."
    )
