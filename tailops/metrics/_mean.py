"""A weighted mean over everything that is valid, over all batches."""

from typing import Any

import keras

from tailops.metrics._tensors import weights_for, wide_dtype


class MaskedMean(keras.metrics.Metric):  # type: ignore[misc]
    """Σ w·value / Σ w over the valid values since the last reset; 0 before there are any."""

    def __init__(self, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        wide = wide_dtype()
        self.total = self.add_variable((), "zeros", dtype=wide, name="total")
        self.count = self.add_variable((), "zeros", dtype=wide, name="count")

    def _add(self, values: Any, valid: Any, sample_weight: Any) -> None:
        weights = weights_for(sample_weight, values)
        wide = wide_dtype()
        zero = keras.ops.zeros((), dtype=wide)
        # Selected after the product: what an ignored element holds, NaN included, is not looked at.
        weighted = keras.ops.where(valid, weights * keras.ops.cast(values, wide), zero)
        self.total.assign_add(keras.ops.sum(weighted))
        self.count.assign_add(keras.ops.sum(keras.ops.where(valid, weights, zero)))

    def result(self) -> Any:
        """The mean so far, of the metric's dtype."""
        return keras.ops.cast(keras.ops.divide_no_nan(self.total, self.count), self.dtype)
