"""The losses that are compared, by name and options, as data: what a result was trained with."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tailops.losses import HybridPercentileLoss, MaxFractionLoss, PercentileLoss
from tailops.ops import top_k_mean

Options = dict[str, Any]


class QuantileWeighted(keras.losses.Loss):
    """Absolute error, 1 + s times as heavy from the batch's percentile on: ours without the tanh.

    In TensorFlow's own ops, with the weight constant in the gradient, as one would write it first.
    """

    def __init__(self, percentile: float = 0.95, error_scale: float = 20.0) -> None:
        super().__init__()
        self.percentile, self.error_scale = percentile, error_scale

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Per sample."""
        error = tf.abs(y_pred - y_true)[:, 0]
        n = error.shape[0]
        threshold = tf.sort(error)[min(int(n * self.percentile), n - 1)]
        beyond = tf.cast(error >= threshold, error.dtype)
        return error * tf.stop_gradient(1.0 + self.error_scale * beyond)


class TopFraction(keras.losses.Loss):
    """The mean of the largest errors alone: average top-k, conditional value at risk."""

    def __init__(self, fraction: float = 0.1) -> None:
        super().__init__(reduction="sum")  # of one number
        self.fraction = fraction

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Of the batch."""
        error = tf.abs(y_pred - y_true)
        return top_k_mean(error, max(1, round(error.shape[0] * self.fraction)))


CLASSES: dict[str, Callable[..., keras.losses.Loss]] = {
    "MAE": keras.losses.MeanAbsoluteError,
    "MSE": keras.losses.MeanSquaredError,
    "Huber": keras.losses.Huber,
    "QuantileWeighted": QuantileWeighted,
    "TopFraction": TopFraction,
    "PercentileLoss": PercentileLoss,
    "MaxFractionLoss": MaxFractionLoss,
    "HybridPercentileLoss": HybridPercentileLoss,
}
SCALED = {"smoothing_factor": 5.0, "gradient": "fixed_weight"}
# The setting from which one option at a time is changed.
BASE: Options = {"percentile": 0.95, "error_scale": 20.0, **SCALED}

# By the names that the document has for them.
MAIN: dict[str, tuple[str, Options]] = {
    "MAE": ("MAE", {}),
    "MSE": ("MSE", {}),
    "Huber": ("Huber", {"delta": 1.0}),
    "quantile-weighted": ("QuantileWeighted", {"percentile": 0.95, "error_scale": 20.0}),
    "PercentileLoss, published": ("PercentileLoss", {}),
    "PercentileLoss": ("PercentileLoss", BASE),
    "PercentileLoss, squared": (
        "PercentileLoss",
        {**BASE, "error_scale": 10.0, "error": "squared"},
    ),
    "HybridPercentileLoss": ("HybridPercentileLoss", {**BASE, "beta": 0.5}),
    "MaxFractionLoss": ("MaxFractionLoss", {"fraction": 0.5, "error_scale": 20.0, **SCALED}),
}
ORDINARY = ("MAE", "MSE", "Huber")
OURS = (
    "PercentileLoss, published",
    "PercentileLoss",
    "PercentileLoss, squared",
    "HybridPercentileLoss",
    "MaxFractionLoss",
)


def make(kind: str, options: Options) -> keras.losses.Loss:
    """A loss."""
    return CLASSES[kind](**options)
