"""The masks that Keras attaches to tensors."""

from typing import Any

import keras


def mask_of(tensor: Any) -> Any:
    """The mask that a Keras layer has left on its output, or a loss on its values; or None."""
    # What JAX traces takes no attribute: Keras keeps those masks elsewhere. Before it did, none.
    known = getattr(keras.src.backend, "get_keras_mask", None)
    return getattr(tensor, "_keras_mask", None) if known is None else known(tensor)
