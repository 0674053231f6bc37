"""Squared error and percentile loss, mixed."""

from typing import Any

import keras

from tailops._options import percentile_options
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import TailLoss

__all__ = ["HybridPercentileLoss", "hybrid_percentile_loss"]


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
    impl: str = "fused",
) -> Any:
    """Squared errors mixed with the percentile loss, per sample.

    With d = y_pred − y_true and ℓ as in `percentile_loss`:

        L = β·d² + (1 − β)·ℓ

    averaged over the last axis (not below two dimensions).

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        percentile: p, a fraction in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        beta: β, in [0, 1]: the share of the squared error. d² and e have different units: the
            right share depends on the scale of the targets.
        error: "absolute", "squared" or "smooth_absolute"; the squared part stays d².
        method: The rank rule, as for `percentile_loss`.
        gradient: "exact", "fixed_threshold" or "fixed_weight", as for `percentile_loss`.
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are ignored: they count neither for t nor
            for any mean, and have no gradient. A sample of which all are ignored has the loss 0.
        ignore_nan: Whether those are whose target or prediction is NaN.
        mask: Booleans of y_pred's shape, or of that without its last axis: False where an element
            is ignored.
        impl: "fused", or, with Keras on TensorFlow, "reference" for the same in its plain ops.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `percentile_loss`.

    Example:
        >>> losses = hybrid_percentile_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], beta=0.5)
        >>> losses.numpy().tolist()
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
    return tail_loss_of(impl)(y_true, y_pred, options, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
class HybridPercentileLoss(TailLoss):
    """Squared error mixed with the percentile loss; formulas in `hybrid_percentile_loss`.

    Args:
        percentile: p, a fraction in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        beta: β, in [0, 1]: the share of the squared error.
        error: "absolute", "squared" or "smooth_absolute".
        method: The rank rule, as for `PercentileLoss`.
        gradient: "exact", "fixed_threshold", or "fixed_weight", the one to train with.
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute".
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.
        reduction: Keras's, as for `PercentileLoss`.
        name: Name of the loss.
        dtype: Of the computation; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An option is not of its type or out of range.

    Example:
        >>> float(HybridPercentileLoss(beta=0.5)([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]))
        8.0
    """

    arguments = (*TailLoss.arguments, "percentile", "method", "beta")

    def __init__(
        self,
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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hybrid_percentile_loss",
        dtype: Any = None,
    ) -> None:
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
        super().__init__(options, reduction, name, dtype)
