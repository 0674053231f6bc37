"""The loss that another is around: any of Keras's, as `compile` takes them."""

from typing import Any

import keras

from tailops._checks import FLOATING, same_rank
from tailops.losses._masks import mask_of

__all__ = ["InnerLoss"]

# The error kinds that are Keras's, by its functions and by its classes.
_ERRORS = {
    keras.losses.mean_absolute_error: "absolute",
    keras.losses.MeanAbsoluteError: "absolute",
    keras.losses.mean_squared_error: "squared",
    keras.losses.MeanSquaredError: "squared",
}


def _resolved(loss: Any) -> Any:
    """A loss of Keras, or a function."""
    try:
        found = keras.losses.get(loss)
    except ValueError as error:
        raise ValueError(
            f"loss={loss!r}: must be a loss of Keras, its name, class or configuration, or a "
            f"function of y_true and y_pred ({error})"
        ) from error
    if found is None:
        raise TypeError("loss=None: must be a loss of Keras, or a function of y_true and y_pred")
    return found


class InnerLoss:
    """Values, one per sample, pixel or token, and which of them count.

    Args:
        loss: The name, class, instance or serialized configuration of a loss of Keras, or a
            function of y_true and y_pred.
    """

    def __init__(self, loss: Any) -> None:
        self.loss = _resolved(loss)

    @property
    def dtype(self) -> str | None:
        """Of an instance; a function has none."""
        return self.loss.dtype if isinstance(self.loss, keras.losses.Loss) else None

    @property
    def name(self) -> str:
        """For errors."""
        return str(getattr(self.loss, "name", getattr(self.loss, "__name__", self.loss)))

    @property
    def error(self) -> str | None:
        """The error kind that the kernels have for it, of predictions whose last axis is 1."""
        if isinstance(self.loss, keras.losses.Loss):
            return _ERRORS.get(type(self.loss))
        return _ERRORS.get(self.loss)

    def values(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """What the loss is before it is reduced, and its mask or None.

        Raises:
            TypeError: It is not floating.
            ValueError: It is a scalar: reduced already.
        """
        if isinstance(self.loss, keras.losses.Loss):
            values = self.loss.call(y_true, y_pred)
        else:
            if hasattr(y_true, "shape") and hasattr(y_pred, "shape"):
                y_true, y_pred = same_rank(keras.ops, y_true, y_pred)
            values = self.loss(y_true, y_pred)
        mask = mask_of(values)
        values = keras.ops.convert_to_tensor(values)
        dtype = keras.backend.standardize_dtype(values.dtype)
        if dtype not in FLOATING:
            raise TypeError(
                f"loss={self.name}: its values are of dtype {dtype}; must be one of "
                + ", ".join(FLOATING)
            )
        if len(values.shape) == 0:
            shape = tuple(getattr(y_pred, "shape", ()))
            raise ValueError(
                f"loss={self.name}: returned a scalar for y_pred of shape {shape}; must return one "
                "value per sample, pixel or token, before any reduction"
            )
        return values, mask

    def get_config(self) -> Any:
        """With which Keras finds the loss again."""
        return keras.losses.serialize(self.loss)
