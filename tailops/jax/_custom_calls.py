"""The custom calls under `tail_loss`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops import _kernels
from tailops._options import TailOptions
from tailops._state import words
from tailops.jax._targets import register, undifferentiated, varying_as

_FORWARD, _BACKWARD = "tailops_tail_loss", "tailops_tail_loss_grad"
register(_FORWARD, _BACKWARD)


def attributes_of(options: TailOptions, reduction: str, **more: int) -> dict[str, Any]:
    """Those of csrc/xla/loss/handlers.h: float64 and int64, also outside JAX's x64 mode.

    Args:
        options: What to compute.
        reduction: Of the losses.
        more: What else the call takes.
    """
    attributes = _kernels.call_attributes(options.for_kernels(), options.axis, reduction)
    return {
        name: np.float64(value) if isinstance(value, float) else np.int64(value)
        for name, value in (*attributes, *more.items())
    }


def _call(target: str, results: Any, attributes: dict[str, Any], *arguments: Any) -> Any:
    # Under vmap all arguments get the mapped axis in front: many problems, still one call. But a
    # call has one set of numbers.
    method = "sequential" if attributes["scheduled"] else "broadcast_all"

    def call(*given: Any) -> Any:
        made = jax.ffi.ffi_call(target, results, vmap_method=method)
        return varying_as(given, made(*given, **attributes))

    return undifferentiated(call, *arguments)


def forward(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, options: TailOptions, reduction: str
) -> tuple[Any, Any]:
    """The loss, and the state for `backward`.

    Args:
        y_true: Targets.
        y_pred: Predictions.
        numbers: The words of the options' numbers, in place of those: a tuple of one or none.
        mask: A tuple of one or none.
        options: All of them known.
        reduction: Of the losses.
    """
    geometry = _kernels.Geometry(list(y_pred.shape), options.axis, reduction)
    results = (
        jax.ShapeDtypeStruct(geometry.output_shape, y_pred.dtype),
        jax.ShapeDtypeStruct(words(geometry.groups), jnp.uint32),
    )
    attributes = attributes_of(options, reduction, rank=y_pred.ndim, scheduled=len(numbers))
    loss, state = _call(_FORWARD, results, attributes, y_true, y_pred, *numbers, *mask)
    return loss, state


def backward(
    upstream: Any,
    y_true: Any,
    y_pred: Any,
    numbers: Any,
    mask: Any,
    state: Any,
    options: TailOptions,
    reduction: str,
) -> Any:
    """The gradient of Σ upstream · loss by y_pred; by y_true it is the negative."""
    result = jax.ShapeDtypeStruct(y_pred.shape, y_pred.dtype)
    attributes = attributes_of(options, reduction, rank=y_pred.ndim, scheduled=len(numbers))
    return _call(_BACKWARD, result, attributes, upstream, y_true, y_pred, state, *numbers, *mask)
