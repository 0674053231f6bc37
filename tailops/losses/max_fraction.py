"""The errors above a fraction of the largest error weigh more."""

from typing import Any

import keras

from tailops._options import max_fraction_options
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import TailLoss

__all__ = ["MaxFractionLoss", "max_fraction_loss"]


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
    impl: str = "fused",
) -> Any:
    """Errors, those above a fraction of the largest weighted more, per sample.

    As `percentile_loss`, with the threshold

        t = p · max e

    over all errors of the batch (or of the slice along `axis`). It depends on one element: an
    outlier in the targets lifts it above everything else.

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1.
        fraction: p, in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        error: "absolute", "squared" or "smooth_absolute".
        gradient: "exact" (∂t/∂e is p, split equally over the maxima), "fixed_threshold" or
            "fixed_weight".
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
        >>> losses = max_fraction_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], fraction=0.5)
        >>> losses.numpy().tolist()  # t = 2, where h = ½; above it h = 1
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
    return tail_loss_of(impl)(y_true, y_pred, options, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
class MaxFractionLoss(TailLoss):
    """Errors, those above a fraction of the largest weighted more; see `max_fraction_loss`.

    Args:
        fraction: p, in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        error: "absolute", "squared" or "smooth_absolute".
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
        >>> float(MaxFractionLoss(fraction=0.5)([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]))
        19.0
    """

    def __init__(
        self,
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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "max_fraction_loss",
        dtype: Any = None,
    ) -> None:
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
        super().__init__(options, reduction, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "fraction": self.options.percentile}
