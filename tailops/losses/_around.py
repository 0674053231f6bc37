"""What the losses around another loss have in common: Keras's protocol, on values."""

from typing import Any

import keras

from tailops._inner_loss import InnerLoss
from tailops._keras_broadcast import along_leading_axes
from tailops._keras_masks import mask_of, with_mask
from tailops._numbers import number_in_config
from tailops._windows import Window
from tailops.losses._backend import scaled_for_replicas
from tailops.losses._window import window_of, with_dtype

__all__ = ["AROUND", "AroundLoss"]

# What is said of the arguments.
AROUND = {
    "loss": "What makes the values: any loss of Keras, as its name, class, instance or serialized "
    "configuration, or a function of y_true and y_pred. Its `call` must return one value per "
    "sample, pixel or token; its own reduction is not applied.",
    "axis": "What shares a selection: an integer, a tuple of integers, or None, the whole batch. "
    "`(1, 2)` of (batch, height, width) values makes a group of each image.",
    "reduction": 'Of the groups\' means: "sum_over_batch_size", "mean", "mean_with_sample_weight", '
    '"sum", "none" or None, as in Keras.',
    "name": "Name of the loss.",
    "dtype": "Of the computation; None: that of `loss` if it is an instance, else "
    "`keras.config.floatx()`.",
}


def all_of(masks: list[Any], values: Any) -> Any:
    """True where an element counts by all of them, of the values' shape; None of none."""
    valid = None
    for mask in masks:
        if mask is not None:
            kept = along_leading_axes("mask", mask, "bool", values)
            valid = kept if valid is None else keras.ops.logical_and(valid, kept)
    return valid


class AroundLoss(keras.losses.Loss):  # type: ignore[misc]
    """A Keras loss of another one's values; its subclasses say which."""

    def __init__(
        self, loss: Any, axis: Any, reduction: str | None, name: str | None, dtype: Any
    ) -> None:
        self.inner = InnerLoss(loss)
        super().__init__(name=name, reduction=reduction, dtype=dtype or self.inner.dtype)
        self.axis = tuple(axis) if isinstance(axis, list) else axis
        self.window: int | None = None

    def unreduced(self, y_true: Any, y_pred: Any, masks: list[Any]) -> tuple[Any, Any]:
        """The losses without a reduction, and which of them count; None: all."""
        raise NotImplementedError

    def reduced(self, y_true: Any, y_pred: Any, masks: list[Any], sample_weight: Any) -> Any:
        """The loss, with its reduction."""
        raise NotImplementedError

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses without a reduction."""
        return with_mask(*self.unreduced(y_true, y_pred, [mask_of(y_pred)]))

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> Any:
        """The loss with Keras's reduction, `sample_weight` and masks; `mask` is one more."""

        def own(x: Any) -> Any:
            return with_dtype(x, self.dtype)

        masks = [mask_of(y_pred), mask]
        with keras.name_scope(self.name):
            y_true, y_pred = (keras.tree.map_structure(own, y) for y in (y_true, y_pred))
            weight = None if sample_weight is None else own(sample_weight)
            return self.reduced(y_true, y_pred, masks, weight)

    def window_of(self, y_pred: Any) -> Window | None:
        """That of the predictions, if the loss has one."""
        return window_of(y_pred, self.window, self.dtype, self)

    def values(self, y_true: Any, y_pred: Any, masks: list[Any]) -> tuple[Any, Any]:
        """Those of the inner loss, and where they count; None: everywhere."""
        values, mask = self.inner.values(y_true, y_pred)
        return keras.ops.cast(values, self.dtype), all_of([*masks, mask], values)

    @property
    def wide(self) -> str:
        """In which sums and weights are computed."""
        return "float64" if self.dtype == "float64" else "float32"

    def divided(self, total: Any, divisor: Any) -> Any:
        """A mean as Keras has it: of nothing 0, and of its share under `tf.distribute`."""
        mean = scaled_for_replicas(keras.ops.divide_no_nan(total, divisor))
        return keras.ops.cast(mean, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; of a variable the number that it holds now."""
        own = {name: number_in_config(value) for name, value in self.own_config().items()}
        return {
            "loss": self.inner.get_config(),
            **own,
            "axis": self.axis,
            **super().get_config(),
            "dtype": self.dtype,
        }

    def own_config(self) -> dict[str, Any]:
        """The arguments that only this loss has."""
        raise NotImplementedError
