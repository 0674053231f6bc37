"""The losses that are the mean of a part of another loss's values."""

from typing import Any

import keras

from tailops import _functionals
from tailops._functionals import as_values
from tailops._keras_broadcast import along_leading_axes
from tailops._ranges import Range
from tailops.losses._around import AroundLoss
from tailops.losses._backend import FRAMEWORK, require_read_anew, scaled_for_replicas

__all__ = ["RangeLoss"]

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


class RangeLoss(AroundLoss):
    """The means of groups; its subclasses say of which part.

    With `sample_weight` each value's share of its group's mean is multiplied by its weight. The
    weights take no part in the selection, and weights of 1 change nothing.
    """

    def part(self) -> Range:
        """Which, as of now."""
        raise NotImplementedError

    def _part_now(self) -> Range:
        for argument, number in self.own_config().items():
            require_read_anew(argument, number)
        return self.part()

    def _means(self, values: Any, valid: Any, reduction: str) -> Any:
        return _functionals.range_mean(
            FRAMEWORK, values, self._part_now(), self.axis, valid, reduction, "fused"
        )

    def unreduced(self, y_true: Any, y_pred: Any, masks: list[Any]) -> tuple[Any, Any]:
        """The means of the groups, and which groups have a value that counts."""
        values, valid = self.values(y_true, y_pred, masks)
        counts = None if valid is None else keras.ops.any(valid, axis=self.axis)
        return self._means(values, valid, "none"), counts

    def reduced(self, y_true: Any, y_pred: Any, masks: list[Any], sample_weight: Any) -> Any:
        """The means of the groups, reduced."""
        values, valid = self.values(y_true, y_pred, masks)
        if sample_weight is not None:
            return self._weighted(values, valid, sample_weight)
        reduction = "mean" if self.reduction in _MEANS else self.reduction or "none"
        means = self._means(values, valid, reduction)
        return scaled_for_replicas(means) if reduction == "mean" else means

    def _weighted(self, values: Any, valid: Any, sample_weight: Any) -> Any:
        """The same with each value's share multiplied by its weight."""
        wide = keras.ops.cast(values, self.wide)
        weight = along_leading_axes("sample_weight", sample_weight, self.wide, values)
        given = as_values(FRAMEWORK.tensors, keras.ops.stop_gradient(wide), self.axis, valid)
        shares = _functionals.range_weights(FRAMEWORK, given, self._part_now())
        parts = keras.ops.where(shares != 0, shares * weight * wide, 0)
        means = keras.ops.sum(parts, axis=self.axis)
        if self.reduction not in _MEANS:
            return keras.ops.cast(
                keras.ops.sum(means) if self.reduction == "sum" else means, self.dtype
            )
        if valid is None:
            valid = keras.ops.ones_like(values, dtype="bool")
        divisor = keras.ops.sum(keras.ops.cast(keras.ops.any(valid, axis=self.axis), self.wide))
        if self.reduction == "mean_with_sample_weight":
            counted = keras.ops.cast(valid, self.wide)
            divisor *= keras.ops.divide_no_nan(
                keras.ops.sum(counted * weight), keras.ops.sum(counted)
            )
        return self.divided(keras.ops.sum(means), divisor)
