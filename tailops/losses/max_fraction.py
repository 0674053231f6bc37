"""The errors above a fraction of the largest error weigh more."""

from typing import TYPE_CHECKING, Any

import keras

from tailops._families import MAX_FRACTION_LOSS, documented
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import KERAS, TailLoss

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import CommonOptions

__all__ = ["MaxFractionLoss", "max_fraction_loss"]


@documented(MAX_FRACTION_LOSS)
def max_fraction_loss(
    y_true: Any,
    y_pred: Any,
    fraction: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    *,
    mask: Any = None,
    impl: str = "fused",
    **options: "Unpack[CommonOptions]",
) -> Any:
    """Errors, those above a fraction of the largest weighted more, per sample.

    As `percentile_loss`, with the threshold

        t = p · max e

    over all errors of the batch (or of the slice along `axis`). It depends on one element: an
    outlier in the targets lifts it above everything else. Its gradient, p, is split equally over
    the maxima.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `percentile_loss`.

    Example:
        >>> losses = max_fraction_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], fraction=0.5)
        >>> losses.numpy().tolist()  # t = 2, where h = ½; above it h = 1
        [1.0, 12.0, 44.0]
    """
    chosen = MAX_FRACTION_LOSS.options(fraction, smoothing_factor, error_scale, **options)
    return tail_loss_of(impl)(y_true, y_pred, chosen, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
@documented(MAX_FRACTION_LOSS, KERAS)
class MaxFractionLoss(TailLoss):
    """Errors, those above a fraction of the largest weighted more; see `max_fraction_loss`.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Raises:
        TypeError, ValueError: An option is not of its type or out of range.

    Example:
        >>> float(MaxFractionLoss(fraction=0.5)([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]))
        19.0
    """

    family = MAX_FRACTION_LOSS

    def __init__(
        self,
        fraction: Any = 0.99,
        smoothing_factor: Any = 100.0,
        error_scale: Any = 10.0,
        *,
        window: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "max_fraction_loss",
        dtype: Any = None,
        **options: "Unpack[CommonOptions]",
    ) -> None:
        chosen = self.family.options(fraction, smoothing_factor, error_scale, **options)
        super().__init__(chosen, window, reduction, name, dtype)
