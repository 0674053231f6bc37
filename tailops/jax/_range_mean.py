"""Stand-in, until the custom calls are there: sorted."""

from typing import Any

import jax
import jax.numpy as jnp


def range_weights(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.reference_range_mean.range_weights`."""
    values = jax.lax.stop_gradient(values)
    valid = jnp.ones_like(values, bool) if mask is None else mask
    shape = values.shape
    axis_ = 0 if axis is None else axis
    if axis is None:
        values, valid = values.reshape(-1), valid.reshape(-1)
    v, ok = jnp.moveaxis(values, axis_, -1), jnp.moveaxis(valid, axis_, -1)
    n = ok.sum(-1, keepdims=True)
    up = jnp.sort(jnp.where(ok, v, jnp.inf), -1)

    def at(rank: Any) -> Any:
        return jnp.take_along_axis(up, jnp.clip(rank, 0, n - 1).astype(int), -1)

    if kind == "at_least":
        t = jnp.minimum(bounds[0], at(jnp.maximum(n - bounds[1], 0)))
        kept = ok & (v >= t)
        w = kept / jnp.maximum(kept.sum(-1, keepdims=True), 1)
    else:
        a, b = (n - bounds[0], n) if kind == "largest" else (bounds[0] * n, bounds[1] * n)

        def share(e: Any) -> Any:
            below, count = (
                (ok & (v < e)).sum(-1, keepdims=True),
                (ok & (v == e)).sum(-1, keepdims=True),
            )
            return (jnp.minimum(below + count, b) - jnp.maximum(below, a)) / jnp.maximum(count, 1)

        lo, hi = at(jnp.floor(a)), at(jnp.ceil(b) - 1)
        w = jnp.where(v == lo, share(lo), jnp.where(v == hi, share(hi), (v > lo) & (v < hi))) / (
            b - a
        )
    nan = (ok & jnp.isnan(v)).any(-1, keepdims=True)
    w = jnp.where(ok & (n > 0), jnp.where(nan, jnp.nan, w), 0)
    return jnp.moveaxis(w, -1, axis_).reshape(shape).astype(values.dtype)


def range_mean(values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None) -> Any:
    """As `tailops.reference_range_mean.range_mean`."""
    w = range_weights(values, bounds, kind, axis, mask)
    return jnp.where(w != 0, w * values, 0).sum(axis)
