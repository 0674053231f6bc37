"""The tail loss as a differentiable function of JAX arrays."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops import _checks
from tailops._options import TailOptions, require_rank_of, require_reduction
from tailops.jax._custom_calls import backward, forward

__all__ = ["TailOptions", "require_dtypes", "tail_loss"]


def _dtype_of(values: Any) -> str:
    dtype = getattr(values, "dtype", None)
    return np.dtype(np.asarray(values).dtype if dtype is None else dtype).name


def require_dtypes(y_true: Any, y_pred: Any) -> None:
    """Raises TypeError unless y_pred is floating and y_true is real."""
    _checks.require_dtypes(y_true=_dtype_of(y_true), y_pred=_dtype_of(y_pred))


def _as_pair(y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    require_dtypes(y_true, y_pred)
    predictions = jnp.asarray(y_pred)
    targets = jnp.asarray(y_true).astype(predictions.dtype)
    given = targets.shape, predictions.shape
    targets, predictions = _checks.same_rank(jnp, targets, predictions)
    if targets.shape != predictions.shape:
        raise _checks.shapes_differ(*given)
    return targets, predictions


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _differentiable(y_true: Any, y_pred: Any, options: TailOptions, reduction: str) -> Any:
    return forward(y_true, y_pred, options, reduction)[0]


def _forward_rule(y_true: Any, y_pred: Any, options: TailOptions, reduction: str) -> Any:
    loss, state = forward(y_true, y_pred, options, reduction)
    return loss, (y_true, y_pred, state)


def _backward_rule(options: TailOptions, reduction: str, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, state = saved
    gradient = backward(upstream, y_true, y_pred, state, options, reduction)
    return -gradient, gradient


_differentiable.defvjp(_forward_rule, _backward_rule)


def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
) -> jax.Array:
    """The tail loss of JAX arrays; formulas as in `tailops.jax.percentile_loss`.

    Args:
        y_true: Targets, any shape; cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16, bfloat16, float32
            or, in JAX's x64 mode, float64.
        options: What to compute; None: the defaults.
        reduction: "none" (per element), "per_sample" (mean over the last axis; per element below
            two dimensions), "mean" or "sum" (of the per-sample losses).

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
    targets, predictions = _as_pair(y_true, y_pred)
    require_rank_of(options.axis, predictions.ndim)
    loss: jax.Array = _differentiable(targets, predictions, options, reduction)
    return loss
