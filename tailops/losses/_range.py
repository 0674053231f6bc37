"""The losses that are the mean of a part of another loss's values."""

from typing import Any

import keras

from tailops import _functionals
from tailops._checks import boolean
from tailops._functionals import Replicas, Values, as_values
from tailops._keras_broadcast import along_leading_axes
from tailops._ranges import Range
from tailops._weights import SYNCHRONIZED_WEIGHTS
from tailops._windows import Window
from tailops.losses._around import AroundLoss
from tailops.losses._backend import FRAMEWORK, require_read_anew, scaled_for_replicas

__all__ = ["RangeLoss"]

_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


class RangeLoss(AroundLoss):
    """The means of groups; its subclasses say of which part.

    With `sample_weight` each value's share of its group's mean is multiplied by its weight. The
    weights take no part in the selection, and weights of 1 change nothing. With `weighted` they do:
    a value of weight 2 is as two of them.
    """

    def __init__(
        self,
        loss: Any,
        axis: Any,
        synchronized: bool,
        reduction: str | None,
        name: str | None,
        dtype: Any,
        weighted: bool | None = None,
    ) -> None:
        super().__init__(loss, axis, reduction, name, dtype)
        self.synchronized = boolean("synchronized", synchronized)
        # None: this loss has no such argument.
        self.weighted = None if weighted is None else boolean("weighted", weighted)
        if self.weighted and self.synchronized:
            raise ValueError(SYNCHRONIZED_WEIGHTS)

    def part(self) -> Range:
        """Which, as of now."""
        raise NotImplementedError

    def _part_now(self) -> Range:
        for argument, number in self.numbers().items():
            require_read_anew(argument, number)
        return self.part()

    def _means(self, values: Any, valid: Any, reduction: str, weights: Any = None) -> Any:
        return _functionals.range_mean(
            FRAMEWORK,
            values,
            self._part_now(),
            self.axis,
            valid,
            reduction,
            "fused",
            self.synchronized,
            weights,
        )

    def _given(self, values: Any, valid: Any) -> Values:
        constant = keras.ops.stop_gradient(values)
        return as_values(
            FRAMEWORK.tensors, constant, self.axis, valid, may_be_empty=self.synchronized
        )

    def _replicas(self, given: Values) -> Replicas | None:
        """Those that share the groups, if others do."""
        return FRAMEWORK.others(given, self.synchronized, "fused")

    def _counts(self, valid: Any, replicas: Replicas | None) -> Any:
        """Which groups have a value that counts, on any replica."""
        counts = keras.ops.any(valid, axis=self.axis)
        return counts if replicas is None else replicas.total(keras.ops.cast(counts, "int32")) > 0

    def unreduced(self, y_true: Any, y_pred: Any, masks: list[Any]) -> tuple[Any, Any]:
        """The means of the groups, and which groups have a value that counts."""
        window = self.window_of(y_pred)
        values, valid = self.values(y_true, y_pred, masks)
        if window is not None:
            return self._by_window(window, values, valid, None), None
        counts = None
        if valid is not None:
            counts = self._counts(valid, self._replicas(self._given(values, valid)))
        return self._means(values, valid, "none"), counts

    def reduced(self, y_true: Any, y_pred: Any, masks: list[Any], sample_weight: Any) -> Any:
        """The means of the groups, reduced."""
        window = self.window_of(y_pred)
        values, valid = self.values(y_true, y_pred, masks)
        if window is not None:
            mean = self._by_window(window, values, valid, sample_weight)
            scaled = self.reduction in _MEANS or self.synchronized
            return scaled_for_replicas(mean) if scaled else mean
        weights = None
        if sample_weight is not None:
            if not self.weighted:
                return self._weighted(values, valid, sample_weight)
            weights = along_leading_axes("sample_weight", sample_weight, self.wide, values)
        reduction = "mean" if self.reduction in _MEANS else self.reduction or "none"
        means = self._means(values, valid, reduction, weights)
        # A mean that all replicas have is added up over them.
        shared = self.synchronized and self._replicas(self._given(values, valid)) is not None
        scaled = reduction == "mean" or (reduction == "sum" and shared)
        return scaled_for_replicas(means) if scaled else means

    def _weighted(self, values: Any, valid: Any, sample_weight: Any) -> Any:
        """The same with each value's share multiplied by its weight."""
        wide = keras.ops.cast(values, self.wide)
        weight = along_leading_axes("sample_weight", sample_weight, self.wide, values)
        given = self._given(wide, valid)
        replicas = self._replicas(given)

        def total(x: Any) -> Any:
            return x if replicas is None else replicas.total(x)

        shares = _functionals.range_weights(FRAMEWORK, given, self._part_now(), replicas)
        parts = keras.ops.where(shares != 0, shares * weight * wide, 0)
        means = total(keras.ops.sum(parts, axis=self.axis))
        if self.reduction not in _MEANS:
            reduced = keras.ops.sum(means) if self.reduction == "sum" else means
            if self.reduction == "sum" and replicas is not None:
                reduced = scaled_for_replicas(reduced)
            return keras.ops.cast(reduced, self.dtype)
        if valid is None:
            valid = keras.ops.ones_like(values, dtype="bool")
        divisor = keras.ops.sum(keras.ops.cast(self._counts(valid, replicas), self.wide))
        if self.reduction == "mean_with_sample_weight":
            counted = keras.ops.cast(valid, self.wide)
            divisor *= keras.ops.divide_no_nan(
                total(keras.ops.sum(counted * weight)), total(keras.ops.sum(counted))
            )
        return self.divided(keras.ops.sum(means), divisor)

    def _by_window(self, window: Window, values: Any, valid: Any, sample_weight: Any) -> Any:
        """The mean of the one group that there is, in which values beyond the window's part count.

        With `sample_weight` each value's share is multiplied by its weight.
        """
        wide = keras.ops.cast(values, self.wide)
        parts = window.excesses(wide, self._part_now(), valid, self.synchronized)
        counted = keras.ops.ones_like(parts)
        if valid is not None:
            counted = keras.ops.cast(valid, self.wide)
            parts = keras.ops.where(valid, parts, 0)
        divisor = counted
        if sample_weight is not None:
            weight = along_leading_axes("sample_weight", sample_weight, self.wide, values)
            parts = parts * weight
            if self.reduction == "mean_with_sample_weight":
                divisor = counted * weight
        mean = keras.ops.divide_no_nan(keras.ops.sum(parts), keras.ops.sum(divisor))
        return keras.ops.cast(mean, self.dtype)

    def numbers(self) -> dict[str, Any]:
        """The arguments that say which part it is."""
        raise NotImplementedError

    def own_config(self) -> dict[str, Any]:
        """The numbers, and whose values they are of."""
        own = {"synchronized": self.synchronized}
        if self.weighted is not None:
            own["weighted"] = self.weighted
        return {**self.numbers(), **own}
