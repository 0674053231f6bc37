"""The losses where Keras runs on JAX."""

from collections.abc import Callable
from typing import Any

from tailops.jax import _arrays as tensors
from tailops.jax import tail_loss

__all__ = ["IMPLEMENTATIONS", "scaled_for_replicas", "tensors"]

# The reference is written in TensorFlow.
IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"fused": tail_loss}


def scaled_for_replicas(mean: Any) -> Any:
    """JAX differentiates the whole batch as one, on however many devices."""
    return mean
