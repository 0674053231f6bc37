"""What Keras and we attach to tensors; Keras has no public names for it."""

from typing import Any

__all__ = ["attach", "attached"]

try:
    from keras.src.backend.common.tensor_attributes import get_tensor_attr, set_tensor_attr
except ImportError:  # of an older Keras, which has attributes only

    def get_tensor_attr(tensor: Any, attr: str) -> Any:
        """What is attached, or None."""
        return getattr(tensor, attr, None)

    def set_tensor_attr(tensor: Any, attr: str, value: Any) -> None:
        """Attaches it."""
        setattr(tensor, attr, value)


def attached(tensor: Any, name: str) -> Any:
    """What is attached to a tensor under this name, or None."""
    return get_tensor_attr(tensor, name)


def attach(tensor: Any, name: str, value: Any) -> None:
    """Attaches it, for as long as there is the tensor."""
    set_tensor_attr(tensor, name, value)
