"""Tail losses and range means of whole arrays, computed where their shards are."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import zero_from_primal

from tailops._inputs import Inputs, valid_elements
from tailops._options import SCHEDULED
from tailops._reductions import reduced
from tailops.jax import _arrays, _sharded_calls
from tailops.jax._float64 import numbers_of
from tailops.jax._linear_maps import sums_of_shares
from tailops.jax._range_mean import masks_of, words_of_bounds
from tailops.jax._sharded_calls import Options

# In the place of numbers that are known: a split call always has as many operands.
_NOT_READ = np.zeros(2 * len(SCHEDULED), np.uint32)


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def _losses(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, axis: int | None, options: Options
) -> Any:
    return _sharded_calls.losses(axis, options, y_true, y_pred, numbers, *mask)[0]


def _losses_forward(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, axis: int | None, options: Options
) -> Any:
    losses, state = _sharded_calls.losses(axis, options, y_true, y_pred, numbers, *mask)
    return losses, (y_true, y_pred, numbers, mask, state)


def _losses_backward(axis: int | None, options: Options, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, numbers, mask, state = saved
    (slope,) = _sharded_calls.slopes(axis, options, upstream, y_true, y_pred, numbers, state, *mask)
    return -slope if options.known.reads_targets else None, slope, None, None


_losses.defvjp(_losses_forward, _losses_backward)


@functools.partial(jax.custom_jvp, nondiff_argnums=(3, 4))
def _means(values: Any, words: Any, mask: Any, axis: int | None, kind: str) -> Any:
    return tuple(_sharded_calls.means(axis, kind, values, words, *mask))


@_means.defjvp  # type: ignore[untyped-decorator]
def _(axis: int | None, kind: str, primals: Any, tangents: Any) -> Any:
    values, words, mask = primals
    mean, state = _means(values, words, mask, axis, kind)
    constant, result, saved = jax.lax.stop_gradient((values, mean, state))

    def gradient(upstream: Any, values: Any) -> Any:
        return _sharded_calls.mean_slopes(axis, kind, upstream, values, saved, *mask)[0]

    slope = sums_of_shares(gradient, constant, tangents[0], result, axis)
    return (mean, state), (slope, zero_from_primal(state))


def _from_the_front(axis: int | None, rank: int) -> int | None:
    return axis if axis is None or axis >= 0 else axis + rank


def _require_no_shares() -> None:
    """Raises ValueError where a function sees shares, of which only a name tells the others."""
    mesh = getattr(jax.sharding, "get_abstract_mesh", lambda: None)()
    names = getattr(mesh, "manual_axes", ())
    if names:
        raise ValueError(
            "synchronized=True inside shard_map or pmap: must have axis_name, of "
            f"{', '.join(map(repr, names))}"
        )


def may_be() -> bool:
    """Whether an array may be on several devices.

    Raises:
        ValueError: Here arrays are shares themselves.
    """
    _require_no_shares()
    return bool(jax.device_count() > 1)


def tail_loss(given: Inputs, reduction: str) -> jax.Array:
    """As `tailops.jax.tail_loss`.

    Args:
        given: The whole arrays.
        reduction: Of the losses.
    """
    axis = _from_the_front(given.options.axis, given.y_pred.ndim)
    options = Options(given.options.known(), given.options.is_scheduled)
    (numbers,) = numbers_of(given.options) or (_NOT_READ,)
    masks = masks_of(given.mask)
    losses = _losses(given.y_true, given.y_pred, numbers, masks, axis, options)
    loss: jax.Array = reduced(_arrays, losses, valid_elements(_arrays, given), reduction)
    return loss


def range_mean(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.jax._range_mean.range_mean`."""
    given = jnp.asarray(values)
    axis = _from_the_front(axis, given.ndim)
    words, masks = jax.lax.stop_gradient((words_of_bounds(bounds), masks_of(mask)))
    return _means(given, words, masks, axis, kind)[0]


def range_weights(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.jax._range_mean.range_weights`."""
    given, masks = jax.lax.stop_gradient(jnp.asarray(values)), masks_of(mask)
    words = jax.lax.stop_gradient(words_of_bounds(bounds))
    axis = _from_the_front(axis, given.ndim)
    mean, state = _sharded_calls.means(axis, kind, given, words, *masks)
    (weights,) = _sharded_calls.mean_slopes(axis, kind, jnp.ones_like(mean), given, state, *masks)
    return weights
