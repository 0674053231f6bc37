"""The window of a loss: found at its predictions, which come from a layer that has it."""

from typing import Any

import keras

from tailops._checks import integer
from tailops._keras_attributes import attach, attached
from tailops._keras_masks import mask_of, with_mask
from tailops._keras_scopes import in_symbolic_scope
from tailops._windows import Window
from tailops.layers.error_window import PASSED, Passed
from tailops.losses._backend import FRAMEWORK, require_carried

__all__ = ["WINDOW", "as_window", "window_of", "with_dtype"]

# What is said of the argument.
WINDOW = {
    "window": "m: the threshold is that of the last m errors that are not ignored, earlier "
    "batches' too, and a constant in the gradient; None: of the batch's. The predictions must come "
    "from a `tailops.layers.ErrorWindow(m)`, by which the model remembers them."
}


def as_window(window: Any, axis: Any, gradient: str = "fixed_weight") -> int | None:
    """The argument, checked.

    Raises:
        TypeError: It is no integer.
        ValueError: It is out of range, or not for such an axis or gradient.
    """
    if window is None:
        return None
    size: int = integer("window", window, least=1)
    if axis is not None:
        raise ValueError(f"window={size}, axis={axis}: must be None, a window is of all errors")
    if gradient == "exact":
        raise ValueError(
            f'window={size}, gradient="exact": must be "fixed_weight" or "fixed_threshold", a '
            "window's threshold is a constant"
        )
    return size


def with_dtype(y_pred: Any, dtype: Any) -> Any:
    """Predictions of a dtype, with what Keras and we have attached to them."""
    converted = keras.ops.convert_to_tensor(y_pred, dtype=dtype)
    if converted is y_pred:
        return converted
    attach(converted, PASSED, attached(y_pred, PASSED))
    return with_mask(converted, mask_of(y_pred))


def window_of(y_pred: Any, size: int | None, dtype: str, loss: Any) -> Window | None:
    """The window of predictions; None if none is wanted, or Keras only asks for shapes.

    A batch is written once: the same loss as a metric reads.

    Raises:
        ValueError: They have none of this size and dtype, or another loss has written to it, or
            nobody carries it.
    """
    if size is None or in_symbolic_scope():
        return None
    found: Passed | None = attached(y_pred, PASSED)
    if found is None:
        raise ValueError(
            f"window={size}: y_pred comes from no ErrorWindow, and nothing would remember its "
            f"errors. Make tailops.layers.ErrorWindow({size}) the model's last layer: "
            f"keras.Sequential([..., tailops.layers.ErrorWindow({size})]), or outputs = "
            f"tailops.layers.ErrorWindow({size})(outputs)"
        )
    layer = found.by
    wanted = "float64" if dtype == "float64" else "float32"
    if layer.size != size or layer.errors.dtype != wanted:
        raise ValueError(
            f"window={size}, dtype={dtype}: y_pred comes from an ErrorWindow of size {layer.size} "
            f"and dtype {layer.errors.dtype}; must be {size}, and {wanted}"
        )
    if found.written_by not in (None, loss):
        raise ValueError(
            f"window={size}: another loss has written the errors of this batch: each needs an "
            "output, and an ErrorWindow, of its own"
        )
    require_carried(layer.errors, y_pred)
    writes = found.training and found.written_by is None

    def keep(errors: Any, written: Any) -> None:
        layer.errors.assign(errors)
        layer.written.assign(written)
        found.written_by = loss

    errors, written = (keras.ops.convert_to_tensor(x) for x in (layer.errors, layer.written))
    return Window(FRAMEWORK, errors, written, keep if writes else None, found.training)
