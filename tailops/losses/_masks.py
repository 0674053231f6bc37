"""The masks that Keras attaches to tensors, which it has no public names for."""

from typing import Any

__all__ = ["mask_of", "with_mask"]

try:
    from keras.src.backend import get_keras_mask, set_keras_mask
except ImportError:  # of an older Keras, which has attributes only

    def get_keras_mask(x: Any) -> Any:
        """The mask, or None."""
        return getattr(x, "_keras_mask", None)

    def set_keras_mask(x: Any, mask: Any) -> None:
        """Attaches it."""
        x._keras_mask = mask


def mask_of(x: Any) -> Any:
    """True where an element counts; None if there is no mask."""
    return get_keras_mask(x)


def with_mask(x: Any, mask: Any) -> Any:
    """The tensor, with the mask attached if there is one."""
    if mask is not None:
        set_keras_mask(x, mask)
    return x
