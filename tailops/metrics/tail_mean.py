"""The mean of the worst values of a loss over all batches, in fixed memory."""

from typing import Any

import keras

from tailops._checks import boolean
from tailops._inner_loss import InnerLoss
from tailops._keras_masks import mask_of
from tailops.metrics._distribution import Distribution, in_range
from tailops.metrics._ignored import is_nan
from tailops.metrics._sketch import Buckets, weighted_tail_mean
from tailops.metrics._tensors import and_mask, as_tensor, weights_for, wide_dtype

__all__ = ["TailMean"]


@keras.saving.register_keras_serializable(package="tailops")
class TailMean(Distribution):
    """The mean of the largest values of a loss, CVaR, over every sample since the last reset.

        M(p, 1) = Σ mᵢ·v₍ᵢ₎ / Σ mᵢ,    mᵢ = |[i, i + 1] ∩ [p·n, n]|

    with v₍₀₎ ≤ … ≤ v₍ₙ₋₁₎ what the loss's `call` returns, before any reduction: a value per sample,
    pixel or token, of any sign. The element in which p·n falls counts with the rest of its mass.
    Not the mean of the batches' tails, which is something else: the lower, the smaller they are.

    While there are at most `exact_size` values (in each replica) that is the result. Beyond, with
    r = `relative_error`,

        0 ≤ M − result ≤ r·(Σ mᵢ·|v₍ᵢ₎| / Σ mᵢ)

    whatever the values and their order are: for losses ≥ 0, the result is M or at most a fraction
    r below it. It is M where the values near p·n are equal, and the mean for p = 0. All this but
    for rounding: of sums, to float64, and of the result, to the metric's dtype.

    Proof. Values are counted in buckets (x, γx] of either sign, γ ≤ 1 + r, each with the sum of its
    values. Buckets wholly beyond p·n enter with their sums. From the one in which p·n falls, the
    mass m of its mass c is taken at the bucket's mean μ, where M takes its largest values, whose
    mean is τ ≥ μ. With the smallest element at l, μ ≥ (m·τ + (c − m)·l)/c, so that
    τ − μ ≤ (1 − m/c)·(τ − l) ≤ (1 − m/c)·(γ − 1)·|τ|: for either sign, since τ and l are in the
    bucket. What M loses is m·(τ − μ)/Σ mᵢ ≤ r·m·|τ|/Σ mᵢ, and m·|τ| is part of Σ mᵢ·|v₍ᵢ₎|.

    The memory does not grow, and batches, replicas and whole metrics add up: for 1 % and float32
    some 35,000 buckets of two numbers, 0.6 MB; for float64 4.6 MB; for 2 %, half of it. Counts and
    sums are kept in float64: up to 2⁵³ samples a bucket are counted exactly. With JAX outside its
    x64 mode both are float32: exactly up to 2²⁴ samples, and rounding takes some 1e-5.

    Zero is exact; magnitudes below the smallest normal number count as zero, which may cost that
    number on top. An infinite value in the tail is the result, and both infinities make it NaN. So
    does a value that is NaN, until the next reset.

    Args:
        loss: Any Keras loss, as `compile` takes it: a name, a class, an instance or a function of
            `(y_true, y_pred)`. Its reduction does not matter.
        percentile: p, a fraction in [0, 1).
        ignore_nan: Whether values that are NaN are ignored.
        relative_error: r, in [0.002, 0.5].
        exact_size: Up to how many values the result is exact; they are kept and sorted.
        name: Name of the metric.
        dtype: Of the values and the result; None: `keras.config.floatx()`.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range, or the loss is none.

    Example:
        >>> metric = TailMean("mae", percentile=0.7)
        >>> metric.update_state([[0.0], [0.0]], [[1.0], [-4.0]])
        >>> metric.update_state([[0.0], [0.0]], [[3.0], [2.0]])
        >>> round(float(metric.result()), 4)  # (0.2·3 + 4)/1.2
        3.8333

    Source: Rockafellar and Uryasev, Conditional value-at-risk for general loss distributions,
    Journal of Banking & Finance 26, 2002; the buckets: as `ErrorPercentile`.
    """

    def __init__(
        self,
        loss: Any = "mae",
        percentile: float = 0.95,
        *,
        ignore_nan: bool = False,
        relative_error: float = 0.01,
        exact_size: int = 1024,
        name: str | None = "tail_mean",
        dtype: Any = None,
    ) -> None:
        self._inner = InnerLoss(loss)
        self.percentile = in_range("percentile", percentile, 0, 1, "[)")
        self.ignore_nan = boolean("ignore_nan", ignore_nan)
        self.relative_error = in_range("relative_error", relative_error, 0.002, 0.5, "[]")
        super().__init__(exact_size, name, dtype)
        self.deviations = self.add_variable(
            (self._buckets.size,), "zeros", dtype=wide_dtype(), name="deviations"
        )

    def _make_buckets(self) -> Buckets:
        # (1 + α)/(1 − α) is 1 + r.
        alpha = self.relative_error / (2 + self.relative_error)
        return Buckets(alpha, self.dtype, signed=True)

    def _functional(self, values: Any, weights: Any) -> Any:
        return weighted_tail_mean(values, weights, self.percentile)

    def _stand_ins(self) -> Any:
        counts, deviations = map(keras.ops.convert_to_tensor, (self.counts, self.deviations))
        return self._buckets.means(counts, deviations)

    def _sums(self) -> tuple[Any, ...]:
        return (*super()._sums(), self.deviations)

    def _count(self, values: Any, weights: Any, index: Any) -> None:
        super()._count(values, weights, index)
        weighted = weights * self._buckets.deviations(values, index)
        self.deviations.assign_add(keras.ops.segment_sum(weighted, index, self._buckets.size))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts one batch.

        Args:
            y_true: Labels, as the loss takes them.
            y_pred: Predictions. A Keras mask on them counts, and so does one that the loss attaches
                to its values, as with `ignore_class`.
            sample_weight: Weights ≥ 0 that broadcast along the values' leading axes: (B,) for
                (B, …). A value of weight w counts as w samples, in the percentile and in the mean;
                it is not multiplied. (In the losses it is, and is in no percentile.)

        Raises:
            TypeError: The loss returns values that are not floating.
            ValueError: It returns a scalar, or shapes do not fit.
        """
        masks = [mask_of(y_pred)]
        given = as_tensor("y_true", y_true), as_tensor("y_pred", y_pred)
        dtype = self._inner.dtype or self.dtype
        values, mask = self._inner.values(*(keras.ops.cast(y, dtype) for y in given))
        masks.append(mask)
        values = keras.ops.cast(values, self.dtype)
        valid = keras.ops.ones_like(values, dtype="bool")
        if self.ignore_nan:
            valid = keras.ops.logical_not(is_nan(values))
        for mask in masks:
            valid = and_mask(valid, mask)
        self._add(values, weights_for(sample_weight, values), valid)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        ours = {
            name: getattr(self, name)
            for name in ("percentile", "ignore_nan", "relative_error", "exact_size")
        }
        return {**super().get_config(), "loss": self._inner.get_config(), **ours}
