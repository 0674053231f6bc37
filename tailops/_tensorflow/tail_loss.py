"""The op of the tail loss, and its gradient."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops import reference
from tailops._checks import rank_of
from tailops._inputs import Inputs, as_inputs
from tailops._options import VALUE, TailOptions, require_reduction
from tailops._tensorflow import tensors, xla
from tailops._tensorflow.attributes import ATTRIBUTES, attributes_of, masks_of, numbers_of
from tailops._tensorflow.library import library
from tailops._tensorflow.replicas import replicas


def fused(inputs: Inputs, reduction: str) -> tf.Tensor:
    """The loss in one op."""
    options = inputs.options
    loss, _ = library.tailops_tail_loss(
        y_true=inputs.y_true,
        y_pred=inputs.y_pred,
        numbers=numbers_of(options),
        mask=masks_of(inputs.mask),
        reduction=reduction,
        **attributes_of(options),
    )
    return loss


def tail_loss(
    y_true: Any, y_pred: Any, options: TailOptions, *, reduction: str, mask: Any = None
) -> tf.Tensor:
    """As `tailops.ops.tail_loss`; where XLA has no kernels, the reference."""
    require_reduction(reduction)
    inputs = as_inputs(tensors, y_true, y_pred, options, mask)
    shared = options.for_batch(rank_of(inputs.y_pred.shape)).synchronized
    others = replicas() if shared else None
    if others is not None:
        return others.of_inputs(inputs, reduction)
    if xla.must_fall_back():
        return reference.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)
    return fused(inputs, reduction)


def _needs_gradient(op: Any, index: int) -> bool:
    """Whether anybody asked for the gradient by this input. A graph prunes what nobody did."""
    try:
        return index not in op.skip_input_indices
    except (AttributeError, TypeError):
        return True


@tf.RegisterGradient("Tailops>TailLoss")  # type: ignore[untyped-decorator]
def _tail_loss_gradient(op: Any, upstream: Any, _: Any) -> list[Any]:
    given = {name: op.get_attr(name) for name in (*ATTRIBUTES, "reduction")}
    y_true, y_pred, *others = op.inputs
    scheduled = op.get_attr("scheduled")
    gradient = library.tailops_tail_loss_grad(
        upstream=upstream,
        y_true=y_true,
        y_pred=y_pred,
        state=op.outputs[1],
        numbers=others[:scheduled],
        mask=others[scheduled:],
        **given,
    )
    by_target = given["error"] != VALUE.encode() and _needs_gradient(op, 0)
    return [-gradient if by_target else None, gradient, *(None for _ in others)]


@tf.RegisterGradient("Tailops>TailLossGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError(
        "The fused tail loss has no second derivative. For one, use impl='reference' of the "
        "functions in tailops.losses."
    )
