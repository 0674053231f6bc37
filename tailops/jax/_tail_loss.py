"""The tail loss as a differentiable function of JAX arrays."""

import functools
from typing import Any

import jax

from tailops._inputs import as_inputs
from tailops._options import TailOptions, require_reduction
from tailops.jax import _arrays
from tailops.jax._custom_calls import backward, forward

__all__ = ["TailOptions", "tail_loss"]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _differentiable(
    y_true: Any, y_pred: Any, mask: Any, options: TailOptions, reduction: str
) -> Any:
    return forward(y_true, y_pred, mask, options, reduction)[0]


def _forward_rule(y_true: Any, y_pred: Any, mask: Any, options: TailOptions, reduction: str) -> Any:
    loss, state = forward(y_true, y_pred, mask, options, reduction)
    return loss, (y_true, y_pred, mask, state)


def _backward_rule(options: TailOptions, reduction: str, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, mask, state = saved
    gradient = backward(upstream, y_true, y_pred, mask, state, options, reduction)
    return -gradient, gradient, None


_differentiable.defvjp(_forward_rule, _backward_rule)


def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
) -> jax.Array:
    """The tail loss of JAX arrays; formulas as in `tailops.jax.percentile_loss`.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16, bfloat16, float32
            or, in JAX's x64 mode, float64.
        options: What to compute; None: the defaults.
        reduction: "none" (per element), "per_sample" (mean over the last axis; per element below
            two dimensions), "mean" or "sum" (of the per-sample losses). Means are over the
            elements that are not ignored, "mean" over all of those at once; of none, 0.
        mask: Booleans of y_pred's shape, or of that without its last axis: True where an element
            counts. None: everywhere.

    Returns:
        The loss, of y_pred's dtype.

    Raises:
        TypeError: y_pred is not floating, or y_true is not real.
        ValueError: Shapes differ or are empty, or an argument is out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> float(tail_loss(jnp.zeros(3), jnp.array([1.0, 2.0, 4.0]), reduction="mean"))
        9.0
    """
    options = options or TailOptions()
    require_reduction(reduction)
    inputs = as_inputs(_arrays, y_true, y_pred, options, mask)
    masks = () if inputs.mask is None else (inputs.mask,)
    loss: jax.Array = _differentiable(
        inputs.y_true, inputs.y_pred, masks, inputs.options, reduction
    )
    return loss
