"""The tail loss as a differentiable function of JAX arrays."""

import functools
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tailops import _checks
from tailops._options import TailOptions, require_rank_of, require_reduction
from tailops.jax._custom_calls import backward, forward

__all__ = ["TailOptions", "require_dtypes", "tail_loss", "valid"]


def _dtype_of(argument: str, values: Any) -> str:
    _checks.require_dense(argument, values)
    dtype = getattr(values, "dtype", None)
    return np.dtype(np.asarray(values).dtype if dtype is None else dtype).name


def require_dtypes(y_true: Any, y_pred: Any, ignore_value: float | None = None) -> None:
    """As `_checks.require_dtypes`, of tensors."""
    dtypes = _dtype_of("y_true", y_true), _dtype_of("y_pred", y_pred)
    _checks.require_dtypes(*dtypes, ignore_value)


class _Inputs(NamedTuple):
    y_true: jax.Array
    y_pred: jax.Array
    mask: tuple[jax.Array, ...]  # one or none: True where an element counts
    options: TailOptions


def _as_mask(mask: Any, predictions: jax.Array) -> jax.Array:
    dtype = _dtype_of("mask", mask)
    if dtype != "bool":
        raise TypeError(f"mask of dtype {dtype}: must be bool")
    array = _checks.like(jnp, jnp.asarray(mask), predictions)
    if array.shape != predictions.shape:
        raise ValueError(
            f"mask of shape {array.shape}: must be that of y_pred, {predictions.shape}"
        )
    return array


def _as_inputs(y_true: Any, y_pred: Any, options: TailOptions, mask: Any) -> _Inputs:
    require_dtypes(y_true, y_pred, options.ignore_value)
    predictions, targets = jnp.asarray(y_pred), jnp.asarray(y_true)
    given = targets.shape, predictions.shape
    targets, predictions = _checks.same_rank(jnp, targets, predictions)
    if targets.shape != predictions.shape:
        raise _checks.shapes_differ(*given)
    require_rank_of(options.axis, predictions.ndim)
    kept = None if mask is None else _as_mask(mask, predictions)
    if options.ignore_value is not None and targets.dtype != predictions.dtype:
        # Before the cast, which may make other targets equal to the value.
        other = targets != jnp.asarray(options.ignore_value, targets.dtype)
        kept = other if kept is None else kept & other
        options = replace(options, ignore_value=None)
    masks = () if kept is None else (kept,)
    return _Inputs(targets.astype(predictions.dtype), predictions, masks, options)


def valid(y_true: Any, y_pred: Any, options: TailOptions) -> jax.Array:
    """Which elements are not ignored."""
    targets, predictions, masks, options = _as_inputs(y_true, y_pred, options, None)
    found = masks[0] if masks else jnp.ones_like(predictions, bool)
    if options.ignore_value is not None:
        found &= targets != jnp.asarray(options.ignore_value, targets.dtype)
    if options.ignore_nan:
        found &= ~(jnp.isnan(targets) | jnp.isnan(predictions))
    return found


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
    inputs = _as_inputs(y_true, y_pred, options, mask)
    loss: jax.Array = _differentiable(*inputs, reduction)
    return loss
