"""The tail loss as a differentiable function of JAX arrays."""

import functools
from dataclasses import replace
from typing import Any

import jax
from jax.custom_derivatives import zero_from_primal

from tailops._families import documented
from tailops._inputs import as_inputs
from tailops._options import TailOptions, require_reduction
from tailops.jax import _arrays, _sharded
from tailops.jax._custom_calls import forward
from tailops.jax._float64 import numbers_of
from tailops.jax._linear_maps import linear_map
from tailops.jax._loss_directions import Saved, moved_loss
from tailops.jax._replicas import Replicas
from tailops.jax._targets import undifferentiable

__all__ = ["AXIS_NAME", "SYNCHRONIZED", "TailOptions", "tail_loss"]

# What is said of the arguments.
SYNCHRONIZED = (
    "Whether each device computes what it has of an array whose shards are on several: True: in "
    "`jit` and outside of it nothing but counts is sent. False: every device gathers all of it. "
    "The results are the same, those of one batch."
)
AXIS_NAME = (
    "Inside `jax.shard_map`, `pmap` or `vmap` with such an axis, its name, or several: what is "
    "selected from is the shares of all along it together, exactly, as if they were one batch. "
    "None: each share by itself; outside of those an array is one batch on however many devices."
)


@functools.partial(jax.jit, static_argnames=("options", "reduction"))
def _slope(saved: Saved, loss: Any, direction: Any, options: TailOptions, reduction: str) -> Any:
    return linear_map(
        lambda direction: moved_loss(saved, options, reduction, direction),
        lambda upstream: saved.gradient(upstream, options, reduction),
        direction,
        loss,
    )


# Of numbers and mask there is one or none, in a tuple.
@functools.partial(jax.custom_jvp, nondiff_argnums=(4, 5))
def _differentiable(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, options: TailOptions, reduction: str
) -> Any:
    return forward(y_true, y_pred, numbers, mask, options, reduction)


@_differentiable.defjvp  # type: ignore[untyped-decorator]
def _(options: TailOptions, reduction: str, primals: Any, tangents: Any) -> Any:
    loss, state = _differentiable(*primals, options, reduction)
    saved, result = undifferentiable(Saved(*(*primals, state)), loss)
    direction = tangents[1] - tangents[0] if options.reads_targets else tangents[1]
    slope = _slope(saved, result, direction, options, reduction)
    return (loss, state), (slope, zero_from_primal(state))


@documented(texts={"axis_name": AXIS_NAME})
def tail_loss(
    y_true: Any,
    y_pred: Any,
    options: TailOptions | None = None,
    *,
    reduction: str = "per_sample",
    mask: Any = None,
    axis_name: Any = None,
) -> jax.Array:
    """The tail loss of JAX arrays; formulas as in `tailops.jax.percentile_loss`.

    float64 needs JAX's x64 mode. The options and the reduction are static, but for percentile,
    smoothing_factor and error_scale, which may be traced.

    Args:
        ...: `help()` describes it, from the tables of `tailops._families`.

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
    options = inputs.options
    if axis_name is not None:
        if replace(options, synchronized=True).for_batch(inputs.y_pred.ndim).synchronized:
            return Replicas(axis_name).of_inputs(inputs, reduction)
    elif options.synchronized and _sharded.may_be():
        return _sharded.tail_loss(inputs, reduction)
    masks = () if inputs.mask is None else (inputs.mask,)
    numbers = jax.lax.stop_gradient(numbers_of(options))
    loss: jax.Array = _differentiable(
        inputs.y_true, inputs.y_pred, numbers, masks, options.known(), reduction
    )[0]
    return loss
