"""Tail losses and range means of whole arrays, computed where their shards are."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from tailops._inputs import Inputs, valid_elements
from tailops._options import TailOptions
from tailops._reductions import reduced
from tailops.jax import _arrays, _sharded_calls
from tailops.jax._range_mean import masks_of, words_of_bounds


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _losses(y_true: Any, y_pred: Any, mask: Any, axis: int | None, options: TailOptions) -> Any:
    return _sharded_calls.losses(axis, options, y_true, y_pred, *mask)[0]


def _losses_forward(
    y_true: Any, y_pred: Any, mask: Any, axis: int | None, options: TailOptions
) -> Any:
    losses, state = _sharded_calls.losses(axis, options, y_true, y_pred, *mask)
    return losses, (y_true, y_pred, mask, state)


def _losses_backward(axis: int | None, options: TailOptions, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, mask, state = saved
    (slope,) = _sharded_calls.slopes(axis, options, upstream, y_true, y_pred, state, *mask)
    return -slope if options.reads_targets else None, slope, None


_losses.defvjp(_losses_forward, _losses_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _means(values: Any, words: Any, mask: Any, axis: int | None, kind: str) -> Any:
    return _sharded_calls.means(axis, kind, values, words, *mask)[0]


def _means_forward(values: Any, words: Any, mask: Any, axis: int | None, kind: str) -> Any:
    mean, state = _sharded_calls.means(axis, kind, values, words, *mask)
    return mean, (values, mask, state)


def _means_backward(axis: int | None, kind: str, saved: Any, upstream: Any) -> Any:
    values, mask, state = saved
    return *_sharded_calls.mean_slopes(axis, kind, upstream, values, state, *mask), None, None


_means.defvjp(_means_forward, _means_backward)


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
        given: Of numbers that are known: a call of a share takes no others.
        reduction: Of the losses.
    """
    axis = _from_the_front(given.options.axis, given.y_pred.ndim)
    known = given.options.known()
    losses = _losses(given.y_true, given.y_pred, masks_of(given.mask), axis, known)
    loss: jax.Array = reduced(_arrays, losses, valid_elements(_arrays, given), reduction)
    return loss


def range_mean(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.jax._range_mean.range_mean`."""
    given = jnp.asarray(values)
    axis = _from_the_front(axis, given.ndim)
    return _means(given, words_of_bounds(bounds), masks_of(mask), axis, kind)


def range_weights(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.jax._range_mean.range_weights`."""
    given, masks = jax.lax.stop_gradient(jnp.asarray(values)), masks_of(mask)
    words = jax.lax.stop_gradient(words_of_bounds(bounds))
    axis = _from_the_front(axis, given.ndim)
    mean, state = _sharded_calls.means(axis, kind, given, words, *masks)
    (weights,) = _sharded_calls.mean_slopes(axis, kind, jnp.ones_like(mean), given, state, *masks)
    return weights
