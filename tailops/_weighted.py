"""Tail losses whose percentile is one of weights: an element of weight 2 counts as two.

Composed of what is there: the errors, which are losses without a tail weight; an element selected
from them by weights; and the losses of a given threshold, as a window's are.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tailops._axes import as_one_axis, reduced_axes, with_kept_axes
from tailops._inputs import Inputs, as_inputs, valid_elements
from tailops._options import TailOptions, require_reduction
from tailops._reductions import reduced
from tailops._weights import SYNCHRONIZED_WEIGHTS, require_method_of_weights

if TYPE_CHECKING:
    from tailops._functionals import Framework

__all__ = ["require_no_window", "require_weightable", "tail_loss"]


def require_weightable(options: TailOptions, window: Any) -> None:
    """Raises ValueError unless there can be such a percentile of these options."""
    require_method_of_weights(options.method)
    if options.gradient == "exact":
        raise ValueError(
            "gradient='exact' with weighted=True: must be 'fixed_weight' or 'fixed_threshold', a "
            "threshold by weights is a constant"
        )
    if options.synchronized:
        raise ValueError(SYNCHRONIZED_WEIGHTS)
    require_no_window(window)


def require_no_window(window: Any) -> None:
    """Raises ValueError if there is one."""
    if window is not None:
        raise ValueError(
            f"window={window!r} with weighted=True: must be None, a window keeps no weights"
        )


def tail_loss(
    framework: "Framework",
    y_true: Any,
    y_pred: Any,
    options: TailOptions,
    *,
    weights: Any,
    reduction: str = "per_sample",
    mask: Any = None,
) -> Any:
    """As of `Framework.tail_losses`; the losses are not multiplied by the weights.

    Args:
        framework: Whose tensors they are.
        y_true: Targets.
        y_pred: Predictions, of the same shape.
        options: For which `require_weightable` holds.
        weights: How much each element counts in the percentile, of y_pred's shape.
        reduction: Of `_options.LOSS_REDUCTIONS`.
        mask: True where an element counts; None: all do.
    """
    require_reduction(reduction)
    tensors = framework.tensors
    batch = as_inputs(tensors, y_true, y_pred, options, mask)
    given = batch.y_pred.dtype
    valid = valid_elements(tensors, batch)
    counts = framework.as_weights(weights)
    if valid is not None:
        counts = tensors.where(valid, counts, 0)
    losses = _losses(framework, _widened(framework, batch), counts)
    return reduced(tensors, tensors.cast(losses, given), valid, reduction)


def _widened(framework: "Framework", batch: Inputs) -> Inputs:
    """Not in 16 bits: a threshold is one of the errors as they are computed."""
    tensors = framework.tensors
    if tensors.dtype_of("y_pred", batch.y_pred) not in ("float16", "bfloat16"):
        return batch
    y_true, y_pred = (tensors.cast(y, "float32") for y in (batch.y_true, batch.y_pred))
    return batch._replace(y_true=y_true, y_pred=y_pred)


def _losses(framework: "Framework", batch: Inputs, counts: Any) -> Any:
    tensors, options, window = framework.tensors, batch.options, framework.window
    like = batch.y_pred
    one = tensors.ones_like(tensors.reshape(like, [-1])[:1])
    no_tail = replace(options, error_scale=0.0, beta=0.0, axis=None)
    errors = window.losses(batch._replace(options=no_tail), one, one > 0)
    axes = reduced_axes(tensors, options.axis, len(like.shape))
    rows, axis = as_one_axis(tensors, errors, axes)
    p = options.percentile
    q = p if isinstance(p, float) else tensors.wide(p)
    threshold = framework.select(rows, q, options.method, axis, False, counts)
    kept = with_kept_axes(tensors, threshold, axes, 0)
    return window.losses(batch, kept, tensors.ones_like(kept) > 0)
