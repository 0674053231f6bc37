"""The three losses as functions of JAX arrays."""

from typing import TYPE_CHECKING, Any

import jax

from tailops._families import HYBRID_LOSS, MAX_FRACTION_LOSS, PERCENTILE_LOSS, documented
from tailops.jax._tail_loss import AXIS_NAME, SYNCHRONIZED, tail_loss

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import CommonOptions, PercentileOptions

__all__ = ["hybrid_percentile_loss", "max_fraction_loss", "percentile_loss"]

_TEXTS = {"axis_name": AXIS_NAME, "synchronized": SYNCHRONIZED}


@documented(PERCENTILE_LOSS, _TEXTS)
def percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    *,
    mask: Any = None,
    axis_name: Any = None,
    **options: "Unpack[PercentileOptions]",
) -> jax.Array:
    """Errors, those above the batch's percentile weighted more, per sample.

    With residuals d = y_pred − y_true and errors e = |d| (or d², or √(d² + ε²) − ε):

        t = the percentile p of all errors of the batch (or of the slice along `axis`)
        h = ½(1 + tanh(κ(e − t)))        1 in the tail, 0 below, ½ at t
        ℓ = e(1 + s·h)

    averaged over the last axis (not below two dimensions). Under `jax.vmap` every slice has a
    percentile of its own, and all are computed in one call. p, κ and s may be traced, all other
    options are static; float64 needs JAX's x64 mode. There are derivatives forward and in reverse,
    and none of second order; in reverse only where shares are of one batch, by `axis_name` or with
    `synchronized`.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

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
    chosen = PERCENTILE_LOSS.options(percentile, smoothing_factor, error_scale, **options)
    return tail_loss(y_true, y_pred, chosen, mask=mask, axis_name=axis_name)


@documented(MAX_FRACTION_LOSS, _TEXTS)
def max_fraction_loss(
    y_true: Any,
    y_pred: Any,
    fraction: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    *,
    mask: Any = None,
    axis_name: Any = None,
    **options: "Unpack[CommonOptions]",
) -> jax.Array:
    """Errors, those above a fraction of the largest weighted more, per sample.

    As `percentile_loss`, with the threshold t = p · max e.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

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
    chosen = MAX_FRACTION_LOSS.options(fraction, smoothing_factor, error_scale, **options)
    return tail_loss(y_true, y_pred, chosen, mask=mask, axis_name=axis_name)


@documented(HYBRID_LOSS, _TEXTS)
def hybrid_percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    beta: float = 0.2,
    *,
    mask: Any = None,
    axis_name: Any = None,
    **options: "Unpack[PercentileOptions]",
) -> jax.Array:
    """Squared errors mixed with the percentile loss, per sample.

    With d = y_pred − y_true and ℓ as in `percentile_loss`: L = β·d² + (1 − β)·ℓ.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError: As `percentile_loss`.

    Example:
        >>> import jax.numpy as jnp
        >>> hybrid_percentile_loss(jnp.zeros(3), jnp.array([1.0, 2.0, 4.0]), beta=0.5).tolist()
        [1.0, 3.0, 20.0]
    """
    chosen = HYBRID_LOSS.options(percentile, smoothing_factor, error_scale, beta, **options)
    return tail_loss(y_true, y_pred, chosen, mask=mask, axis_name=axis_name)
