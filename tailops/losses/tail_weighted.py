"""Any loss's values, those above a percentile of them weighted more."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import keras

from tailops import _functionals
from tailops._axes import reduced_axes
from tailops._checks import same_rank
from tailops._families import TAIL_WEIGHTED_LOSS, documented
from tailops._keras_broadcast import along_leading_axes
from tailops._options import TailOptions
from tailops._weighted import tail_loss as weighted_tail_loss
from tailops._windows import Window
from tailops.losses._around import AROUND, AroundLoss, all_of
from tailops.losses._backend import (
    FRAMEWORK,
    require_numbers_read_anew,
    scaled_for_replicas,
    tensors,
)
from tailops.losses._weighted import WEIGHTED, as_weighted
from tailops.losses._window import WINDOW, as_window

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import ValueOptions

__all__ = ["TailWeightedLoss"]

# Keras's reductions that the op does itself where nothing has to be weighted.
_IN_THE_OP = {
    "sum_over_batch_size": "mean",
    "mean": "mean",
    "mean_with_sample_weight": "mean",
    "sum": "sum",
    "none": "none",
    None: "none",
}
# Of a reduction of the op, the losses of the values.
_Tail = Callable[[str], Any]


@keras.saving.register_keras_serializable(package="tailops")
@documented(
    TAIL_WEIGHTED_LOSS,
    AROUND
    | WINDOW
    | WEIGHTED
    | {"reduction": AROUND["reduction"].replace("the groups' means", "the weighted values")},
)
class TailWeightedLoss(AroundLoss):
    """Any loss, its values above a percentile of them weighted 1 + s times: the one to train with.

    With the values v of `loss`:

        t = the percentile p of the batch's values (or of each group's, with `axis`)
        h = ½(1 + tanh(κ(v − t)/|t|))    1 in the tail, 0 below, ½ at t
        ℓ = v(1 + s·h)

    κ is in units of 1/t, so that it suits values of any scale; of 1/value where `smoothing_unit` is
    "error". All values teach, those in the tail more; `gradient="fixed_weight"` holds 1 + s·h
    constant, which is what training wants. Where `loss` is Keras's absolute or squared error of one
    output, residuals are fused into the kernels, with the same numbers.

    Args:
        ...: The options are those of `tailops.ops.TailOptions`; `help()` describes everything.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("adam", TailWeightedLoss("mae", percentile=0.95))
        >>> loss = TailWeightedLoss("mae", error_scale=2.0, smoothing_factor=100.0)
        >>> loss.reduction = "none"
        >>> loss([[0.0], [0.0], [0.0]], [[1.0], [2.0], [4.0]]).numpy().tolist()
        [1.0, 2.0, 8.0]

    Source: as `tailops.losses.percentile_loss`.
    """

    def __init__(
        self,
        loss: Any = "mae",
        percentile: Any = 0.95,
        error_scale: Any = 20.0,
        smoothing_factor: Any = 5.0,
        *,
        axis: Any = None,
        window: int | None = None,
        weighted: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tail_weighted_loss",
        dtype: Any = None,
        **options: "Unpack[ValueOptions]",
    ) -> None:
        super().__init__(loss, axis, reduction, name, dtype)
        self.options = TAIL_WEIGHTED_LOSS.options(
            percentile, error_scale, smoothing_factor, **options
        )
        self.window = as_window(window, axis, self.options.gradient)
        self.weighted = as_weighted(weighted, self.options, window)

    def _of_values(
        self, y_true: Any, y_pred: Any, masks: list[Any], window: Window | None, counts: Any
    ) -> tuple[_Tail, Any, Any]:
        values, valid = self.values(y_true, y_pred, masks)
        weights = None if counts is None else self._weights_of(counts, values)

        def tail(reduction: str) -> Any:
            return _functionals.tail_weighted(
                FRAMEWORK,
                values,
                self.options,
                self.axis,
                valid,
                reduction,
                "fused",
                window,
                weights,
            )

        return tail, values, valid

    def _as_residuals(self, y_true: Any, y_pred: Any) -> tuple[Any, Any, TailOptions] | None:
        """What the kernels that fuse residuals take; None where they do not fit."""
        error = self.inner.error
        if error is None or not (hasattr(y_true, "shape") and hasattr(y_pred, "shape")):
            return None
        targets, predictions = same_rank(keras.ops, y_true, y_pred)
        rank = len(predictions.shape) - 1
        one_output = rank >= 1 and predictions.shape[-1] == 1 == (*targets.shape, None)[rank]
        # Keras would broadcast what differs.
        if not one_output or not tensors.same_shape(targets, predictions):
            return None
        axes = reduced_axes(tensors, self.axis, rank, "the loss's values")
        if len(axes) not in (1, rank):
            return None
        axis = None if len(axes) == rank else axes[0]
        return targets, predictions, replace(self.options, error=error, axis=axis)

    def _weights_of(self, sample_weight: Any, values: Any) -> Any:
        return along_leading_axes("sample_weight", sample_weight, self.wide, values)

    def _tail(
        self, y_true: Any, y_pred: Any, masks: list[Any], counts: Any = None
    ) -> tuple[_Tail, Any, Any]:
        """The losses, something of the values' shape, and where they count; None: everywhere.

        `counts`: weights that count in the percentile.
        """
        require_numbers_read_anew(self.options)
        window = self.window_of(y_pred)
        found = self._as_residuals(y_true, y_pred)
        if found is None:
            return self._of_values(y_true, y_pred, masks, window, counts)
        targets, predictions, options = found
        like = keras.ops.squeeze(predictions, -1)
        valid = all_of(masks, like)
        tail_loss = FRAMEWORK.tail_losses["fused"] if window is None else window.tail_loss
        if counts is not None:
            own = keras.ops.expand_dims(self._weights_of(counts, like), -1)
            tail_loss = partial(weighted_tail_loss, FRAMEWORK, weights=own)

        def tail(reduction: str) -> Any:
            losses = tail_loss(targets, predictions, options, reduction=reduction, mask=valid)
            return keras.ops.squeeze(losses, -1) if reduction == "none" else losses

        return tail, like, valid

    def unreduced(self, y_true: Any, y_pred: Any, masks: list[Any]) -> tuple[Any, Any]:
        """The weighted values, and which of them count."""
        tail, _, valid = self._tail(y_true, y_pred, masks)
        return tail("none"), valid

    def reduced(self, y_true: Any, y_pred: Any, masks: list[Any], sample_weight: Any) -> Any:
        """The weighted values, reduced."""
        counts = sample_weight if self.weighted else None
        tail, like, valid = self._tail(y_true, y_pred, masks, counts)
        reduction = _IN_THE_OP[self.reduction]
        if sample_weight is None:
            loss = tail(reduction)
            return scaled_for_replicas(loss) if reduction == "mean" else loss
        weight = self._weights_of(sample_weight, like)
        weighted = keras.ops.cast(tail("none"), self.wide) * weight
        if reduction != "mean":
            return keras.ops.cast(
                keras.ops.sum(weighted) if reduction == "sum" else weighted, self.dtype
            )
        counted = keras.ops.ones_like(weighted)
        if valid is not None:
            counted *= keras.ops.cast(valid, self.wide)
        if self.reduction == "mean_with_sample_weight":
            counted *= weight
        return self.divided(keras.ops.sum(weighted), keras.ops.sum(counted))

    def own_config(self) -> dict[str, Any]:
        """The options."""
        own = {"window": self.window, "weighted": self.weighted}
        return {**TAIL_WEIGHTED_LOSS.config(self.options), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TailWeightedLoss":
        """The loss of such arguments; κ saved without a unit is in 1/value, as it was then."""
        loss: TailWeightedLoss = super().from_config({"smoothing_unit": "error"} | config)
        return loss
