"""The losses that are compared, by name and options, as data: what a result was trained with.

Seeds are trained side by side: y_true is (batch, models, 1), or (batch, models) of classes, y_pred
(batch, models, outputs). With `axis=0` each model has a selection of its own.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tailops.losses import CVaRLoss, HybridPercentileLoss, MaxFractionLoss, TailWeightedLoss

Options = dict[str, Any]


def absolute_error() -> keras.losses.Loss:
    """What numbers are judged by."""
    return keras.losses.MeanAbsoluteError(reduction="none")


def cross_entropy() -> keras.losses.Loss:
    """What classes are judged by."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


class Power(keras.losses.Loss):
    """Another loss's values to the power q: L_q of absolute errors."""

    def __init__(self, inner: keras.losses.Loss, q: float) -> None:
        super().__init__()
        self.inner, self.q = inner, q

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Per sample."""
        values = self.inner(y_true, y_pred)
        return values if self.q == 1 else values**self.q


class HardStep(keras.losses.Loss):
    """Another loss's values, 1 + s times as heavy from the batch's percentile on.

    In TensorFlow's own ops, with the weight constant in the gradient, as one would write it first.
    """

    def __init__(self, inner: keras.losses.Loss, percentile: float, error_scale: float) -> None:
        super().__init__()
        self.inner, self.percentile, self.error_scale = inner, percentile, error_scale

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Per sample."""
        values = self.inner(y_true, y_pred)
        n = values.shape[0]
        threshold = tf.sort(values, axis=0)[min(int(n * self.percentile), n - 1)]
        beyond = tf.cast(values >= threshold, values.dtype)
        return values * tf.stop_gradient(1.0 + self.error_scale * beyond)


class LogCosh(keras.losses.Loss):
    """Keras's log-cosh, which is quadratic up to about δ instead of 1."""

    def __init__(self, delta: float) -> None:
        super().__init__()
        self.delta, self.inner = delta, keras.losses.LogCosh(reduction="none")

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Per sample."""
        return self.inner(y_true / self.delta, y_pred / self.delta)


class Focal(keras.losses.Loss):
    """Keras's focal cross-entropy of classes that are numbers."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.inner = keras.losses.CategoricalFocalCrossentropy(
            gamma=gamma, from_logits=True, reduction="none"
        )

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Per sample."""
        return self.inner(tf.one_hot(tf.cast(y_true, tf.int32), y_pred.shape[-1]), y_pred)


def tail_weighted(
    inner: keras.losses.Loss, axis: int | None, squared: bool = False, **options: Any
) -> TailWeightedLoss:
    """Ours; the tail of the squared errors if that is asked for."""
    return TailWeightedLoss(
        keras.losses.MeanSquaredError(reduction="none") if squared else inner, axis=axis, **options
    )


# What makes a loss: of the values' loss, and the axis along which each model selects.
KINDS: dict[str, Callable[..., keras.losses.Loss]] = {
    "Power": lambda inner, _, q: Power(inner, q),
    "Huber": lambda _, __, delta: keras.losses.Huber(delta),
    "LogCosh": lambda _, __, delta: LogCosh(delta),
    "Focal": lambda _, __, gamma: Focal(gamma),
    "HardStep": lambda inner, _, **options: HardStep(inner, **options),
    "CVaRLoss": lambda inner, axis, **options: CVaRLoss(inner, axis=axis, **options),
    "TailWeightedLoss": tail_weighted,
    "HybridPercentileLoss": lambda _, axis, **options: HybridPercentileLoss(axis=axis, **options),
    "MaxFractionLoss": lambda _, axis, **options: MaxFractionLoss(axis=axis, **options),
}


def make(kind: str, options: Options, inner: keras.losses.Loss) -> keras.losses.Loss:
    """A loss; one with a window selects from the whole batch, which is then of one model."""
    return KINDS[kind](inner, None if "window" in options else 0, **options)
