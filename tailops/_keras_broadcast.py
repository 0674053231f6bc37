"""Weights and masks in the shape of what they are of, as Keras takes them."""

from typing import Any

import keras

__all__ = ["along_leading_axes"]


def along_leading_axes(argument: str, values: Any, dtype: str, like: Any) -> Any:
    """Broadcast as Keras does with weights: from the first axis on, (B,) to (B, …).

    Raises:
        ValueError: The shape does not fit, up to a last axis of 1.
    """
    tensor = keras.ops.cast(keras.ops.convert_to_tensor(values), dtype)
    given, wanted = tuple(tensor.shape), tuple(like.shape)
    if len(given) == len(wanted) + 1 and given[-1] == 1:
        tensor = keras.ops.squeeze(tensor, -1)
    missing = len(wanted) - len(tensor.shape)
    if missing > 0:
        tensor = keras.ops.expand_dims(tensor, [len(tensor.shape) + k for k in range(missing)])
    fits = len(tensor.shape) == len(wanted) and all(
        a is None or b is None or a in (1, b) for a, b in zip(tensor.shape, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"{argument} of shape {given}: must broadcast along the leading axes of {wanted}"
        )
    return keras.ops.broadcast_to(tensor, keras.ops.shape(like))
