"""The losses where Keras runs on TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tailops import ops, reference
from tailops._tensorflow.functionals import TENSORFLOW as FRAMEWORK

__all__ = [
    "FRAMEWORK",
    "IMPLEMENTATIONS",
    "require_carried",
    "require_read_anew",
    "scaled_for_replicas",
    "variables_per_replica",
]

IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "fused": ops.tail_loss,
    "reference": reference.tail_loss,
}


def scaled_for_replicas(mean: Any) -> Any:
    """Replicas' gradients are added up, so each one's mean counts for its share (as in Keras)."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return mean if replicas == 1 else mean * tf.cast(1.0 / replicas, mean.dtype)


def require_read_anew(argument: str, number: Any) -> None:
    """Nothing to require: a graph reads its variables at each step."""
    del argument, number  # AutoGraph converts no function without a statement, and warns


def require_carried(variable: Any, y_pred: Any) -> None:
    """Nothing to require: an assignment is part of the graph."""
    del variable, y_pred


def variables_per_replica() -> dict[str, str]:
    """What a variable is made with of which each replica has its own; the first one's is saved."""
    if not tf.distribute.has_strategy():
        return {}
    return {"synchronization": "on_read", "aggregation": "only_first_replica"}
