"""The losses where Keras runs on JAX."""

from collections.abc import Callable
from typing import Any

import keras

from tailops.jax import tail_loss
from tailops.jax._functionals import JAX as FRAMEWORK

try:
    from keras.src.backend.common.stateless_scope import get_stateless_scope
except ImportError:  # it has no public name

    def get_stateless_scope() -> Any:
        """Unknown."""
        return None


__all__ = ["FRAMEWORK", "IMPLEMENTATIONS", "require_read_anew", "scaled_for_replicas"]

# The reference is written in TensorFlow.
IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"fused": tail_loss}


def scaled_for_replicas(mean: Any) -> Any:
    """JAX differentiates the whole batch as one, on however many devices."""
    return mean


def require_read_anew(argument: str, number: Any) -> None:
    """Raises ValueError for a variable that a compiled step would read once, as it is traced.

    Keras passes the model's variables to the step, and no others.
    """
    scope = get_stateless_scope()
    if not isinstance(number, keras.Variable) or scope is None or not scope.state_mapping:
        return
    if scope.get_current_value(number) is None:
        raise ValueError(
            f"{argument}={number!r}: with Keras on JAX, must be a variable of the model, an "
            "attribute of one of its layers; a compiled step reads others only once"
        )
