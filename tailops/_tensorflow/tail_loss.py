"""The op of the tail loss, and its gradient."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops._inputs import Inputs
from tailops._options import ATTRIBUTES
from tailops._tensorflow.library import library


def fused(inputs: Inputs, reduction: str) -> tf.Tensor:
    """The loss in one op."""
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
