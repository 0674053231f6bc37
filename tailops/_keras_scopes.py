"""Where Keras runs what, of which it has no public names."""

from typing import Any

__all__ = ["get_stateless_scope", "in_symbolic_scope"]

try:
    from keras.src.backend.common.stateless_scope import get_stateless_scope
    from keras.src.backend.common.symbolic_scope import in_symbolic_scope
except ImportError:  # of another version

    def get_stateless_scope() -> Any:
        """Which says what variables hold, in a step of JAX: unknown."""
        return None

    def in_symbolic_scope() -> bool:
        """Whether Keras only asks for shapes, as before it fits."""
        return False
