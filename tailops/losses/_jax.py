"""The losses where Keras runs on JAX."""

from collections.abc import Callable
from typing import Any

from tailops.jax import tail_loss
from tailops.jax._functionals import JAX as FRAMEWORK

__all__ = ["FRAMEWORK", "IMPLEMENTATIONS", "scaled_for_replicas"]

# The reference is written in TensorFlow.
IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"fused": tail_loss}


def scaled_for_replicas(mean: Any) -> Any:
    """JAX differentiates the whole batch as one, on however many devices."""
    return mean
