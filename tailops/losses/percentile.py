"""The errors above a percentile weigh more."""

from typing import TYPE_CHECKING, Any

import keras

from tailops._families import PERCENTILE_LOSS, documented
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import KERAS, TailLoss
from tailops.losses._weighted import WEIGHTED

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import PercentileOptions

__all__ = ["PercentileLoss", "percentile_loss"]


@documented(PERCENTILE_LOSS)
def percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    *,
    mask: Any = None,
    impl: str = "fused",
    **options: "Unpack[PercentileOptions]",
) -> Any:
    """Errors, those above the batch's percentile weighted more, per sample.

    With residuals d = y_pred − y_true and errors e = |d| (or d², or √(d² + ε²) − ε):

        t = the percentile p of all errors of the batch (or of the slice along `axis`)
        h = ½(1 + tanh(κ(e − t)))        1 in the tail, 0 below, ½ at t
        ℓ = e(1 + s·h)

    averaged over the last axis (not below two dimensions).

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

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
    chosen = PERCENTILE_LOSS.options(percentile, smoothing_factor, error_scale, **options)
    return tail_loss_of(impl)(y_true, y_pred, chosen, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
@documented(PERCENTILE_LOSS, KERAS | WEIGHTED)
class PercentileLoss(TailLoss):
    """Errors, those above the batch's percentile weighted more; formulas in `percentile_loss`.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

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

    family = PERCENTILE_LOSS

    def __init__(
        self,
        percentile: Any = 0.99,
        smoothing_factor: Any = 100.0,
        error_scale: Any = 10.0,
        *,
        window: int | None = None,
        weighted: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "percentile_loss",
        dtype: Any = None,
        **options: "Unpack[PercentileOptions]",
    ) -> None:
        chosen = self.family.options(percentile, smoothing_factor, error_scale, **options)
        super().__init__(chosen, window, reduction, name, dtype, weighted)
