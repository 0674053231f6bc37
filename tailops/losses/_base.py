"""What the loss classes have in common: Keras's protocol around the fused op."""

from copy import copy
from functools import partial
from typing import Any, ClassVar

import keras

from tailops._families import Family
from tailops._inputs import require_dtypes, valid
from tailops._keras_broadcast import along_leading_axes
from tailops._keras_masks import mask_of
from tailops._options import TailOptions
from tailops._weighted import tail_loss
from tailops.losses._backend import (
    FRAMEWORK,
    require_numbers_read_anew,
    scaled_for_replicas,
    tail_loss_of,
    tensors,
)
from tailops.losses._weighted import as_weighted
from tailops.losses._window import WINDOW, as_window, window_of, with_dtype

# What is said of the arguments that are no options: Keras's, and the window.
KERAS = {
    "reduction": 'As in Keras: "sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", '
    '"none" or None.',
    "name": "Name of the loss.",
    "dtype": "Of the computation; None: `keras.config.floatx()`.",
    **WINDOW,
}

# Keras's reductions that the op does itself where nothing has to be weighted.
_IN_THE_OP = {
    "sum_over_batch_size": "mean",
    "mean": "mean",
    "mean_with_sample_weight": "mean",
    "sum": "sum",
}


class TailLoss(keras.losses.Loss):  # type: ignore[misc]
    """A Keras loss of the given options; its subclasses name them."""

    family: ClassVar[Family]

    def __init__(
        self,
        options: TailOptions,
        window: int | None,
        reduction: str | None,
        name: str | None,
        dtype: Any,
        weighted: bool | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.options = options
        self.window = as_window(window, options.axis, options.gradient)
        # None: this loss has no such argument.
        self.weighted = None if weighted is None else as_weighted(weighted, options, window)
        self._weights: Any = None

    def _tail_loss(self, y_pred: Any) -> Any:
        require_numbers_read_anew(self.options)
        if self._weights is not None:
            weights = along_leading_axes("sample_weight", self._weights, self.dtype, y_pred)
            mask = mask_of(y_pred)
            if mask is not None:
                weights = keras.ops.where(
                    along_leading_axes("mask", mask, "bool", y_pred), weights, 0
                )
            return partial(tail_loss, FRAMEWORK, weights=weights)
        window = window_of(y_pred, self.window, self.dtype, self)
        return tail_loss_of("fused") if window is None else window.tail_loss

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Per-sample losses, of the shape of y_pred without its last axis.

        Where Keras is going to average them, its denominator counts what is ignored too: they are
        that much larger, so that the mean is the one over the elements that count.
        """
        losses_of = self._tail_loss(y_pred)
        averaged = self.reduction != "sum" and self.reduction in _IN_THE_OP
        if not (self.options.ignores and averaged):
            return losses_of(y_true, y_pred, self.options)
        losses = losses_of(y_true, y_pred, self.options, reduction="none")
        counts = valid(tensors, y_true, y_pred, self.options)
        share = keras.ops.mean(keras.ops.cast(counts, losses.dtype))
        losses = keras.ops.divide_no_nan(losses, share)
        return losses if len(losses.shape) < 2 else keras.ops.mean(losses, axis=-1)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss with Keras's reduction, `sample_weight` and mask; the op reduces if it can."""
        require_dtypes(tensors, y_true, y_pred, self.options.ignore_value)
        if self.weighted and sample_weight is not None:
            by_weights = copy(self)
            by_weights._weights = sample_weight
            return super(TailLoss, by_weights).__call__(
                y_true, with_dtype(y_pred, self.dtype), sample_weight
            )
        by_keras = sample_weight is not None or mask_of(y_pred) is not None
        y_pred = with_dtype(y_pred, self.dtype)
        if by_keras or self.reduction not in _IN_THE_OP:
            return super().__call__(y_true, y_pred, sample_weight)
        with keras.name_scope(self.name):
            # Labels are compared as they are: a cast may make two of them the same.
            label_dtype = self.dtype if self.options.ignore_value is None else None
            loss = self._tail_loss(y_pred)(
                keras.ops.convert_to_tensor(y_true, dtype=label_dtype),
                y_pred,
                self.options,
                reduction=_IN_THE_OP[self.reduction],
            )
            return loss if self.reduction == "sum" else scaled_for_replicas(loss)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        options = self.family.config(self.options)
        own = {"window": self.window, "dtype": self.dtype}
        if self.weighted is not None:
            own["weighted"] = self.weighted
        return {**super().get_config(), **own, **options}
