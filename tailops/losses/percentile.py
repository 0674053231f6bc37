"""The errors above a percentile weigh more."""

from typing import Any

import keras

from tailops._options import percentile_options
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import TailLoss

__all__ = ["PercentileLoss", "percentile_loss"]


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
    impl: str = "fused",
) -> Any:
    """Errors, those above the batch's percentile weighted more, per sample.

    With residuals d = y_pred − y_true and errors e = |d| (or d², or √(d² + ε²) − ε):

        t = the percentile p of all errors of the batch (or of the slice along `axis`)
        h = ½(1 + tanh(κ(e − t)))        1 in the tail, 0 below, ½ at t
        ℓ = e(1 + s·h)

    averaged over the last axis (not below two dimensions).

    Args:
        y_true: Targets, (batch, …, outputs); cast to y_pred's dtype.
        y_pred: Predictions of the same shape, up to a last axis of 1: float16 and bfloat16
            (computed in float32), float32 or float64.
        percentile: p, a fraction in (0, 1]. 0.99 of a batch of fewer than 100 elements is its
            maximum.
        smoothing_factor: κ ≥ 0, in 1/error: how sharp the step at t is. The step is soft within
            about ±3/κ of t.
        error_scale: s ≥ 0: an error in the tail weighs 1 + s times.
        error: "absolute", "squared" or "smooth_absolute".
        method: The rank of the threshold among n errors: "floor" is min(⌊n·p⌋, n − 1), 0-based;
            "lower", "higher", "nearest", "midpoint", "linear" are those of `numpy.quantile`.
        gradient: "exact" differentiates everything, t included, the gradient of t split equally
            over the elements equal to it. "fixed_threshold" holds t constant, "fixed_weight" holds
            1 + s·h constant, which is what training wants: the exact gradient has a spike of
            height ½·κ·s·e at the threshold.
        axis: None: one threshold for the whole batch. Otherwise one per slice along this axis: 0
            gives each output its own.
        epsilon: ε > 0 of "smooth_absolute", in units of the error.
        ignore_value: Elements whose target is equal to it are ignored: they count neither for t nor
            for any mean, and have no gradient. A sample of which all are ignored has the loss 0.
        ignore_nan: Whether those are whose target or prediction is NaN.
        mask: Booleans of y_pred's shape, or of that without its last axis: False where an element
            is ignored.
        impl: "fused", or, with Keras on TensorFlow, "reference" for the same in its plain ops.

    Returns:
        Losses of y_pred's dtype, (batch, …). NaN throughout a group with a NaN; an infinite error
        has an infinite loss, and makes nothing of the others NaN.

    Raises:
        TypeError: y_pred is not floating, y_true is not real, or an option is not of its type.
        ValueError: Shapes differ, or an option is out of range.
        tf.errors.InvalidArgumentError: The same where only run time knows, or an empty batch.

    Example:
        >>> losses = percentile_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0])
        >>> losses.numpy().tolist()  # t = 4, where h = ½: 4 · (1 + 10/2)
        [1.0, 2.0, 24.0]

    Source: Rockafellar and Uryasev, Optimization of Conditional Value-at-Risk, Journal of Risk,
    2000, for the mean of what lies beyond a percentile, which this smooths and adds to the mean.
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
    return tail_loss_of(impl)(y_true, y_pred, options, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
class PercentileLoss(TailLoss):
    """Errors, those above the batch's percentile weighted more; formulas in `percentile_loss`.

    Args:
        percentile: p, a fraction in (0, 1].
        smoothing_factor: κ ≥ 0, in 1/error.
        error_scale: s ≥ 0.
        error: "absolute", "squared" or "smooth_absolute".
        method: The rank rule: "floor", "lower", "higher", "nearest", "midpoint" or "linear".
        gradient: "exact", "fixed_threshold", or "fixed_weight", the one to train with.
        axis: None: one threshold for the whole batch; otherwise one per slice along this axis.
        epsilon: ε > 0 of "smooth_absolute".
        ignore_value: Elements whose target is equal to it are as if they were not there.
        ignore_nan: Whether those are whose target or prediction is NaN.
        reduction: Keras's: "sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none"
            or None. Under `tf.distribute` the percentile is that of each replica's share.
        name: Name of the loss.
        dtype: Of the computation; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An option is not of its type or out of range.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> settings = {"percentile": 0.95, "smoothing_factor": 5.0, "error_scale": 20.0}
        >>> model.compile("adam", PercentileLoss(**settings, gradient="fixed_weight"))
        >>> float(PercentileLoss()([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]))
        9.0

    Source: as `percentile_loss`.
    """

    arguments = (*TailLoss.arguments, "percentile", "method")

    def __init__(
        self,
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
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "percentile_loss",
        dtype: Any = None,
    ) -> None:
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
        super().__init__(options, reduction, name, dtype)
