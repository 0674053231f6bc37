"""Squared error and percentile loss, mixed."""

from typing import TYPE_CHECKING, Any

import keras

from tailops._families import HYBRID_LOSS, documented
from tailops.losses._backend import tail_loss_of
from tailops.losses._base import KERAS, TailLoss
from tailops.losses._weighted import WEIGHTED

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import PercentileOptions

__all__ = ["HybridPercentileLoss", "hybrid_percentile_loss"]


@documented(HYBRID_LOSS)
def hybrid_percentile_loss(
    y_true: Any,
    y_pred: Any,
    percentile: Any = 0.99,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    beta: float = 0.2,
    *,
    mask: Any = None,
    impl: str = "fused",
    **options: "Unpack[PercentileOptions]",
) -> Any:
    """Squared errors mixed with the percentile loss, per sample.

    With d = y_pred − y_true and ℓ as in `percentile_loss`:

        L = β·d² + (1 − β)·ℓ

    averaged over the last axis (not below two dimensions).

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Returns:
        Losses of y_pred's dtype, (batch, …).

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `percentile_loss`.

    Example:
        >>> losses = hybrid_percentile_loss([0.0, 0.0, 0.0], [1.0, 2.0, 4.0], beta=0.5)
        >>> losses.numpy().tolist()
        [1.0, 3.0, 20.0]
    """
    chosen = HYBRID_LOSS.options(percentile, smoothing_factor, error_scale, beta, **options)
    return tail_loss_of(impl)(y_true, y_pred, chosen, mask=mask)


@keras.saving.register_keras_serializable(package="tailops")
@documented(HYBRID_LOSS, KERAS | WEIGHTED)
class HybridPercentileLoss(TailLoss):
    """Squared error mixed with the percentile loss; formulas in `hybrid_percentile_loss`.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Raises:
        TypeError, ValueError: An option is not of its type or out of range.

    Example:
        >>> float(HybridPercentileLoss(beta=0.5)([0.0, 0.0, 0.0], [1.0, 2.0, 4.0]))
        8.0
    """

    family = HYBRID_LOSS

    def __init__(
        self,
        percentile: Any = 0.99,
        smoothing_factor: Any = 100.0,
        error_scale: Any = 10.0,
        beta: float = 0.2,
        *,
        window: int | None = None,
        weighted: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hybrid_percentile_loss",
        dtype: Any = None,
        **options: "Unpack[PercentileOptions]",
    ) -> None:
        chosen = self.family.options(percentile, smoothing_factor, error_scale, beta, **options)
        super().__init__(chosen, window, reduction, name, dtype, weighted)
