"""The native TensorFlow ops: the tail loss, one op forward and one backward; and selection."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops import _xla, reference
from tailops._inputs import as_pair
from tailops._op_library import library
from tailops._options import NAMES, NUMBERS, TailOptions, require_rank_of, require_reduction
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


def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
) -> tf.Tensor:
    """The tail loss in one op; formulas as in `tailops.losses.percentile_loss`.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16, bfloat16, float32
            or float64.
        options: What to compute; None: the defaults.
        reduction: "none" (per element), "per_sample" (mean over the last axis; per element below
            two dimensions), "mean" or "sum" (of the per-sample losses).

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
        return reference.tail_loss(y_true, y_pred, options, reduction=reduction)
    require_reduction(reduction)
    targets, predictions = as_pair(y_true, y_pred)
    require_rank_of(options.axis, predictions.shape.rank)
    loss, _ = library.tailops_tail_loss(
        y_true=targets, y_pred=predictions, reduction=reduction, **options.attributes()
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
    attributes = {name: op.get_attr(name) for name in (*NUMBERS, *NAMES, "reduction", "axis")}
    y_true, y_pred = op.inputs
    gradient = library.tailops_tail_loss_grad(
        upstream=upstream, y_true=y_true, y_pred=y_pred, state=op.outputs[1], **attributes
    )
    return [-gradient if _needs_gradient(op, 0) else None, gradient]


@tf.RegisterGradient("Tailops>TailLossGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "The fused tail loss has no second derivative. For one, use impl='reference' of the "
        "functions in tailops.losses."
    )
