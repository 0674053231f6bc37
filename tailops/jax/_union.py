"""Tail losses and range means of the union of all replicas' shares, where an axis has a name.

Inside `jax.shard_map`, `jax.pmap` or `jax.vmap`, whose axes have names.
"""

import functools
from typing import Any

import jax

from tailops import _synchronized
from tailops._inputs import Inputs, as_inputs
from tailops._options import TailOptions
from tailops._synchronized import AllReduce
from tailops.jax import _arrays
from tailops.jax._float64 import numbers_of
from tailops.jax._range_mean import masks_of, words_of_bounds
from tailops.jax._targets import varying_axes
from tailops.jax._union_calls import RangeSteps, TailSteps

AxisName = Any
"""Of one axis, or a tuple of several: together they are the replicas."""


def all_reduce(axis_name: AxisName) -> AllReduce:
    """The sum over the replicas of this name, on each of them."""
    return lambda x: jax.lax.psum(x, axis_name)


def _knows_what_varies(axis_name: AxisName) -> bool:
    """Whether JAX tracks which arrays differ between replicas, as `shard_map` by default does.

    It then adds up by itself what arrives at an array that does not.
    """
    first = axis_name[0] if isinstance(axis_name, tuple | list) else axis_name
    return first in varying_axes(jax.lax.axis_index(first))


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def _losses(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, options: TailOptions, axis_name: AxisName
) -> Any:
    return _losses_forward(y_true, y_pred, numbers, mask, options, axis_name)[0]


def _losses_forward(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, options: TailOptions, axis_name: AxisName
) -> Any:
    steps = TailSteps(y_true, y_pred, numbers, mask, options)
    losses, state = _synchronized.tail_forward(steps, all_reduce(axis_name))
    return losses, (y_true, y_pred, numbers, mask, state)


def _losses_backward(options: TailOptions, axis_name: AxisName, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, numbers, mask, state = saved
    steps = TailSteps(y_true, y_pred, numbers, mask, options)
    gradient = _synchronized.tail_backward(steps, upstream, state, all_reduce(axis_name))
    return -gradient if options.reads_targets else None, gradient, None, None


_losses.defvjp(_losses_forward, _losses_backward)


def tail_loss(
    y_true: Any, y_pred: Any, options: TailOptions, *, mask: Any = None, axis_name: AxisName
) -> jax.Array:
    """The losses of a share, by the thresholds of the union of all replicas' shares.

    Args:
        y_true: The share's targets; as for `tailops.jax.tail_loss`.
        y_pred: The share's predictions.
        options: What to compute.
        mask: True where an element counts. None: all count.
        axis_name: Of the replicas.

    Returns:
        The loss of each element, of y_pred's shape and dtype.

    Raises:
        TypeError: y_pred is not floating, or y_true is not real.
        ValueError: Shapes differ, or there is no such axis.
        NameError: There is no axis of this name here.

    Example:
        >>> import jax.numpy as jnp
        >>> shares = jnp.array([[1.0, 2.0], [4.0, 3.0]])  # of which 4 is the threshold
        >>> of_share = lambda x: tail_loss(x, x, TailOptions(error="value"), axis_name="replica")
        >>> jax.vmap(of_share, axis_name="replica")(shares).tolist()
        [[1.0, 2.0], [24.0, 3.0]]
    """
    return of_share(as_inputs(_arrays, y_true, y_pred, options, mask), axis_name)


def of_share(inputs: Inputs, axis_name: AxisName) -> jax.Array:
    """The same of inputs that are checked."""
    numbers, masks = numbers_of(inputs.options), masks_of(inputs.mask)
    known = inputs.options.known()
    losses: jax.Array = _losses(inputs.y_true, inputs.y_pred, numbers, masks, known, axis_name)
    return losses


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def _means(
    values: Any, bounds: Any, mask: Any, kind: str, axis: int | None, axis_name: AxisName
) -> Any:
    return _means_forward(values, bounds, mask, kind, axis, axis_name)[0]


def _means_forward(
    values: Any, bounds: Any, mask: Any, kind: str, axis: int | None, axis_name: AxisName
) -> Any:
    steps = RangeSteps(values, bounds, mask, kind, axis, False)
    mean, state = _synchronized.range_forward(steps, all_reduce(axis_name))
    return mean, (values, bounds, mask, state)


def _means_backward(
    kind: str, axis: int | None, axis_name: AxisName, saved: Any, upstream: Any
) -> Any:
    values, bounds, mask, state = saved
    steps = RangeSteps(values, bounds, mask, kind, axis, _knows_what_varies(axis_name))
    gradient = _synchronized.range_backward(steps, upstream, state, all_reduce(axis_name))
    return gradient, None, None


_means.defvjp(_means_forward, _means_backward)


def range_mean(
    values: Any,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: Any = None,
    *,
    axis_name: AxisName,
) -> Any:
    """The range means of the union of all replicas' shares, the same on every replica.

    What arrives at them on all replicas is added up.

    Args:
        values: The share's.
        bounds: As for `tailops.jax._range_mean.range_mean`, the same on all replicas.
        kind: Of the bounds.
        axis: Along which the groups are; None: all elements are one.
        mask: True where an element counts; None: everywhere.
        axis_name: Of the replicas.

    Returns:
        Of values' dtype and shape without the axis.

    Raises:
        ValueError: There is no such kind or axis, or a group without elements.
        RuntimeError: The union has no such range, found when it runs; on a GPU the group is NaN
            instead.
        NameError: There is no axis of this name here.

    Example:
        >>> import jax.numpy as jnp
        >>> shares = jnp.array([[1.0, 2.0], [4.0, 3.0]])
        >>> of_share = lambda x: range_mean(x, (0.5, 1.0), "between", None, axis_name="replica")
        >>> jax.vmap(of_share, axis_name="replica")(shares).tolist()
        [3.5, 3.5]
    """
    share = jax.numpy.asarray(values)
    return _means(share, words_of_bounds(bounds), masks_of(mask), kind, axis, axis_name)


def range_weights(
    values: Any,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: Any = None,
    *,
    axis_name: AxisName,
) -> Any:
    """The weights of a share's elements in the union's range means; constants themselves.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.
        axis_name: As for `range_mean`.

    Returns:
        Of values' shape and dtype. Those of a group add up to 1 over all replicas.

    Raises:
        ValueError, RuntimeError, NameError: As `range_mean`.
    """
    share = jax.lax.stop_gradient(jax.numpy.asarray(values))
    numbers = jax.lax.stop_gradient(words_of_bounds(bounds))
    steps = RangeSteps(share, numbers, masks_of(mask), kind, axis, False)
    mean, state = _synchronized.range_forward(steps, all_reduce(axis_name))
    return steps.gradient(jax.numpy.ones_like(mean), state)
