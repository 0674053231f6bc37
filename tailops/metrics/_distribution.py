"""Every value since the last reset: the first ones as they are, and all of them in buckets."""

import math
import operator
from collections.abc import Iterable
from typing import Any

import keras

from tailops._checks import number
from tailops.metrics._replicas import replica_count, replica_index
from tailops.metrics._sketch import Buckets
from tailops.metrics._tensors import wide_dtype


def in_range(argument: str, value: object, low: float, high: float, brackets: str) -> float:
    """A number of the interval; `brackets` says which of its ends belong to it."""
    result = number(argument, value)
    inside = low < result < high
    inside = inside or (brackets[0] == "[" and result == low)
    inside = inside or (brackets[1] == "]" and result == high)
    if not inside:
        raise ValueError(
            f"{argument}={value!r}: must be in {brackets[0]}{low:g}, {high:g}{brackets[1]}"
        )
    return result


def _size(argument: str, value: object) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        size = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{argument}={value!r}: must be an integer, not {type(value).__name__}"
        ) from None
    if size < 0:
        raise ValueError(f"{argument}={value!r}: must be 0 or more")
    return size


class Distribution(keras.metrics.Metric):  # type: ignore[misc]
    """A number that depends on how all values lie, in fixed memory.

    Subclasses say which values, in which buckets, and what is made of values and their weights.
    """

    # The attributes in which metrics that are merged must agree.
    _ALIKE: tuple[str, ...] = ("relative_error", "exact_size", "dtype")

    def __init__(self, exact_size: int, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.exact_size = _size("exact_size", exact_size)
        self._buckets = self._make_buckets()
        wide = wide_dtype()
        # Each replica keeps its values in a row of its own and zeros elsewhere, so that adding up
        # the replicas' variables, all that tf.distribute offers, puts the rows together.
        rows = replica_count()
        kept = (rows, self.exact_size)
        self.counts = self.add_variable((self._buckets.size,), "zeros", dtype=wide, name="counts")
        self.nans = self.add_variable((), "zeros", dtype=wide, name="nans")
        self.seen = self.add_variable((rows,), "zeros", dtype=wide, name="seen")
        self.kept_values = self.add_variable(kept, "zeros", dtype=self.dtype, name="kept_values")
        self.kept_weights = self.add_variable(kept, "zeros", dtype=wide, name="kept_weights")

    def _make_buckets(self) -> Buckets:
        raise NotImplementedError

    def _functional(self, values: Any, weights: Any) -> Any:
        """What is asked for, of ascending values; those of weight 0 are not there."""
        raise NotImplementedError

    def _stand_ins(self) -> Any:
        """What the values of each bucket are taken for, in ascending order."""
        return self._buckets.values()

    def _sums(self) -> tuple[Any, ...]:
        """The variables that add up, whoever has counted."""
        return (self.counts, self.nans)

    def _count(self, values: Any, weights: Any, index: Any) -> None:  # noqa: ARG002
        """Adds to the buckets of these indices."""
        self.counts.assign_add(keras.ops.segment_sum(weights, index, self._buckets.size))

    def _add(self, values: Any, weights: Any, valid: Any) -> None:
        """Counts what is valid; all three of one shape, the values of the metric's dtype."""
        values, weights, valid = (keras.ops.reshape(t, (-1,)) for t in (values, weights, valid))
        nan = keras.ops.logical_and(valid, keras.ops.isnan(values))
        self.nans.assign_add(keras.ops.sum(keras.ops.cast(nan, self.nans.dtype)))
        weights = keras.ops.where(valid, weights, keras.ops.zeros_like(weights))
        self._count(values, weights, self._buckets.index_of(values))
        self._keep(values, weights, valid)

    def _keep(self, values: Any, weights: Any, valid: Any) -> None:
        """Appends the valid ones to this replica's row, as far as there is room."""
        ones = keras.ops.cast(valid, self.seen.dtype)
        rows = self.seen.shape[0]
        row = keras.ops.cast(keras.ops.arange(rows) == replica_index(), self.seen.dtype)
        before = keras.ops.sum(keras.ops.convert_to_tensor(self.seen) * row)
        place = before + keras.ops.cumsum(ones) - 1
        full = keras.ops.full_like(place, self.exact_size)
        place = keras.ops.where(valid, keras.ops.minimum(place, full), full)
        place = keras.ops.cast(place, "int32")
        for variable, given in ((self.kept_values, values), (self.kept_weights, weights)):
            # One value a place, so that the sum is the value; the last place is thrown away.
            placed = keras.ops.segment_sum(given, place, self.exact_size + 1)[:-1]
            mine = keras.ops.expand_dims(keras.ops.cast(row, "bool"), -1)
            variable.assign_add(keras.ops.where(mine, placed, keras.ops.zeros_like(placed)))
        self.seen.assign_add(row * keras.ops.sum(ones))

    def result(self) -> Any:
        """The number so far, of the metric's dtype; 0 before anything has been counted."""
        counts = keras.ops.convert_to_tensor(self.counts)
        value = keras.ops.cast(self._functional(self._stand_ins(), counts), self.dtype)
        seen = keras.ops.convert_to_tensor(self.seen)
        if self.exact_size:
            exact = keras.ops.all(seen <= self.exact_size)
            value = keras.ops.where(exact, self._exact(), value)
        nothing = keras.ops.sum(counts) == 0
        value = keras.ops.where(nothing, keras.ops.zeros_like(value), value)
        nan = keras.ops.cast(math.nan, self.dtype)
        return keras.ops.where(keras.ops.convert_to_tensor(self.nans) > 0, nan, value)

    def _kept(self) -> tuple[Any, Any, Any]:
        """The values that were kept, their weights, and where there are any; of all replicas."""
        seen = keras.ops.convert_to_tensor(self.seen)
        place = keras.ops.cast(keras.ops.arange(self.exact_size), seen.dtype)
        there = keras.ops.reshape(place < keras.ops.expand_dims(seen, -1), (-1,))
        values = keras.ops.reshape(keras.ops.convert_to_tensor(self.kept_values), (-1,))
        weights = keras.ops.reshape(keras.ops.convert_to_tensor(self.kept_weights), (-1,))
        return values, weights, there

    def _exact(self) -> Any:
        values, weights, there = self._kept()
        values = keras.ops.where(there, values, keras.ops.full_like(values, math.inf))
        order = keras.ops.argsort(values)
        ascending, sorted_weights = (keras.ops.take(t, order) for t in (values, weights))
        return keras.ops.cast(self._functional(ascending, sorted_weights), self.dtype)

    def merge_state(self, metrics: Iterable[Any]) -> None:
        """Adds what other metrics have counted, as if this one had seen their samples too.

        Args:
            metrics: Of the same `relative_error`, `exact_size` and dtype.

        Raises:
            ValueError: One of them differs in these.
        """
        for other in metrics:
            for name in self._ALIKE:
                ours, theirs = getattr(self, name), getattr(other, name)
                if ours != theirs:
                    raise ValueError(f"{name}={theirs!r} of a metric to merge: must be {ours!r}")
            for mine, others in zip(self._sums(), other._sums(), strict=True):
                mine.assign_add(others)
            self._keep(*other._kept())
            seen = keras.ops.convert_to_tensor(other.seen)
            lost = keras.ops.sum(keras.ops.maximum(seen - self.exact_size, 0))
            first = keras.ops.cast(keras.ops.arange(self.seen.shape[0]) == 0, seen.dtype)
            self.seen.assign_add(first * lost)
