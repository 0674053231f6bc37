"""The losses where Keras runs on JAX."""

from collections.abc import Callable
from typing import Any

from tailops.jax._tail_loss import require_dtypes, tail_loss, valid

__all__ = ["IMPLEMENTATIONS", "require_dtypes", "scaled_for_replicas", "valid"]

# The reference is written in TensorFlow.
IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {"fused": tail_loss}


def scaled_for_replicas(mean: Any) -> Any:
    """JAX differentiates the whole batch as one, on however many devices."""
    return mean
