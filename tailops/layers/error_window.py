"""The last errors of an output, as weights of the model."""

from dataclasses import dataclass
from typing import Any

import keras

from tailops import _kernels
from tailops._checks import integer
from tailops._keras_attributes import attach

__all__ = ["PASSED", "ErrorWindow", "Passed"]

PASSED = "_tailops_window"  # under which predictions have it


def _of_each_replica() -> dict[str, str]:
    """What a variable is made with of which each replica has its own; the first one's is saved."""
    if keras.backend.backend() != "tensorflow":
        return {}  # an array is one, on however many devices
    import tensorflow as tf

    if not tf.distribute.has_strategy():
        return {}
    return {"synchronization": "on_read", "aggregation": "only_first_replica"}


@keras.saving.register_keras_serializable(package="tailops")
class ErrorWindow(keras.layers.Layer):  # type: ignore[misc]
    """Passes predictions on, and remembers their last errors for a loss that has a `window`.

    A loss of `tailops.losses` with `window=m` weights errors by a percentile of the last m ones,
    not of a batch's few. It has no variables of its own: Keras saves, restores and carries those
    of a model, and this layer's are the model's. Where the model is called with `training=True`,
    as by `fit` and `train_on_batch`, the loss writes the batch's errors in place of the oldest;
    elsewhere, as in `evaluate`, it only reads.

    It must be the last layer of its output: what happens to predictions behind it, their loss does
    not know of.

    Args:
        size: m, how many errors are remembered, in [1, 8,388,608]: the `window` of the loss.
        kwargs: Those of `keras.layers.Layer`.

    Raises:
        TypeError, ValueError: `size` is no integer, or out of range.

    Example:
        >>> from tailops.losses import TailWeightedLoss
        >>> layers = [keras.Input((3,)), keras.layers.Dense(1), ErrorWindow(4096)]
        >>> model = keras.Sequential(layers)
        >>> model.compile("adam", TailWeightedLoss("mae", window=4096))
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = integer("size", size, least=1)
        if self.size > _kernels.MOST_IN_WINDOW:
            raise ValueError(f"size={size}: must be at most {_kernels.MOST_IN_WINDOW}")
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes the weights: the errors, and how many have been written."""
        del input_shape
        dtype = "float64" if self.variable_dtype == "float64" else "float32"

        def zeros(name: str, shape: tuple[int, ...]) -> keras.Variable:
            return keras.Variable(
                "zeros",
                shape=shape,
                dtype=dtype,
                trainable=False,
                autocast=False,
                name=name,
                **_of_each_replica(),
            )

        self.errors = zeros("errors", (self.size,))
        self.written = zeros("written", ())

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The inputs, which know from then on where their errors are remembered."""
        attach(inputs, PASSED, Passed(self, bool(training)))
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.size}


@dataclass
class Passed:
    """What a loss is told of predictions.

    Attributes:
        by: The layer that has their window.
        training: Whether that is written.
        written_by: The loss that has done it.
    """

    by: ErrorWindow
    training: bool
    written_by: Any = None
