"""The three losses as functions of JAX arrays."""

from typing import Any

import jax

from tailops._options import max_fraction_options, percentile_options
from tailops.jax._tail_loss import tail_loss

__all__ = ["hybrid_percentile_loss", "max_fraction_loss", "percentile_loss"]


def percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: float = 0.99,
    smoothing_factor: float = 100.0,
    error_scale: float = 10.0,
    *,
    error: str = "absolute",
    method: str = "floor",
    gradient: str = "exact",
    axis: int | None = None,
    epsilon: float = 1e-3,
    ignore_value: float | None = None,
    ignore_nan: bool = False,
    mask: Any = None,
) -> jax.Array:
    """Errors, those above the batch's percentile weighted more, per sample.

    With residuals d = y_pred − y_true and errors e = |d| (or d², or √(d² + ε²) − ε):

        t = the percentile p of all errors of the batch (or of the slice along `axis`)
        h = ½(1 + tanh(κ(e − t)))        1 in the tail, 0 below, ½ at t
        ℓ = e(1 + s·h)

    averaged over the last axis (not below two dimensions). Under `jax.vmap` every slice has a
    percentile of its own, and all are computed in one call.

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16 and bfloat16
            (computed in float32), float32, or, in JAX's x64 mode, float64.
        percentile: p, a fraction in (0, 1]. This and what follows is static: no tracer.
        smoothing_factor: κ ≥ 0, in 1/error: how sharp the step at t is.
        error_scale: s ≥ 0: an error in the tail weighs 1 + s times.
        error: "absolute", "squared" or "smooth_absolute".
        method: The rank of the threshold: "floor" is min(⌊n·p⌋, n − 1), 0-based; "lower",
            "higher", "nearest", "midpoint", "linear" are those of `numpy.quantile`.
        gradient: "exact", "fixed_threshold" (t constant) or "fixed_weight" (1 + s·h constant),
            the one to train with.
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.
        mask: Booleans of y_pred's shape, or of that without its last axis: False where an element
            is ignored.

    Returns:
        Losses of y_pred's dtype, (batch, …). NaN throughout a group with a NaN.

    Raises:
        TypeError: y_pred is not floating, y_true is not real, or an option is not of its type.
        ValueError: Shapes differ or are empty, or an option is out of range.

    Example:
        >>> import jax
        >>> import jax.numpy as jnp
        >>> y_true, y_pred = jnp.zeros(3), jnp.array([1.0, -2.0, 4.0])
        >>> percentile_loss(y_true, y_pred).tolist()  # t = 4, where h = ½: 4 · (1 + 10/2)
        [1.0, 2.0, 24.0]
        >>> def total(y_pred):
        ...     return percentile_loss(y_true, y_pred, gradient="fixed_weight").sum()
        >>> jax.jit(jax.grad(total))(y_pred).tolist()
        [1.0, -1.0, 6.0]

    Source: as `tailops.losses.percentile_loss`.
    """
    options = percentile_options(
        percentile,
        method,
        smoothing_factor=smoothing_factor,
        error_scale=error_scale,
        error=error,
        gradient=gradient,
        axis=axis,
        epsilon=epsilon,
        ignore_value=ignore_value,
        ignore_nan=ignore_nan,
    )
    return tail_loss(y_true, y_pred, options, mask=mask)


def max_fraction_loss(
    y_true: Any,
    y_pred: Any,
    fraction: float = 0.99,
    smoothing_factor: float = 100.0,
    error_scale: float = 10.0,
    *,
    error: str = "absolute",
    gradient: str = "exact",
    axis: int | None = None,
    epsilon: float = 1e-3,
    ignore_value: float | None = None,
    ignore_nan: bool = False,
    mask: Any = None,
) -> jax.Array:
    """Errors, those above a fraction of the largest weighted more, per sample.

    As `percentile_loss`, with the threshold t = p · max e.

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        fraction: p, in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        error: "absolute", "squared" or "smooth_absolute".
        gradient: "exact", "fixed_threshold" or "fixed_weight".
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.
        mask: Booleans of y_pred's shape, or of that without its last axis: False where an element
            is ignored.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError: As `percentile_loss`.

    Example:
        >>> import jax.numpy as jnp
        >>> losses = max_fraction_loss(jnp.zeros(3), jnp.array([1.0, 2.0, 4.0]), fraction=0.5)
        >>> losses.tolist()  # t = 2, where h = ½; above it h = 1
        [1.0, 12.0, 44.0]
    """
    options = max_fraction_options(
        fraction,
        smoothing_factor=smoothing_factor,
        error_scale=error_scale,
        error=error,
        gradient=gradient,
        axis=axis,
        epsilon=epsilon,
        ignore_value=ignore_value,
        ignore_nan=ignore_nan,
    )
    return tail_loss(y_true, y_pred, options, mask=mask)


def hybrid_percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: float = 0.99,
    smoothing_factor: float = 100.0,
    error_scale: float = 10.0,
    beta: float = 0.2,
    *,
    error: str = "absolute",
    method: str = "floor",
    gradient: str = "exact",
    axis: int | None = None,
    epsilon: float = 1e-3,
    ignore_value: float | None = None,
    ignore_nan: bool = False,
    mask: Any = None,
) -> jax.Array:
    """Squared errors mixed with the percentile loss, per sample.

    With d = y_pred − y_true and ℓ as in `percentile_loss`: L = β·d² + (1 − β)·ℓ.

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        percentile: p, a fraction in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        beta: β, in [0, 1]: the share of the squared error.
        error: "absolute", "squared" or "smooth_absolute"; the squared part stays d².
        method: The rank rule, as for `percentile_loss`.
        gradient: "exact", "fixed_threshold" or "fixed_weight".
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.
        mask: Booleans of y_pred's shape, or of that without its last axis: False where an element
            is ignored.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError: As `percentile_loss`.

    Example:
        >>> import jax.numpy as jnp
        >>> hybrid_percentile_loss(jnp.zeros(3), jnp.array([1.0, 2.0, 4.0]), beta=0.5).tolist()
        [1.0, 3.0, 20.0]
    """
    options = percentile_options(
        percentile,
        method,
        smoothing_factor=smoothing_factor,
        error_scale=error_scale,
        beta=beta,
        error=error,
        gradient=gradient,
        axis=axis,
        epsilon=epsilon,
        ignore_value=ignore_value,
        ignore_nan=ignore_nan,
    )
    return tail_loss(y_true, y_pred, options, mask=mask)
