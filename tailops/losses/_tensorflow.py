"""The losses where Keras runs on TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tailops import ops, reference
from tailops._inputs import as_inputs, require_dtypes, valid_elements
from tailops._options import TailOptions

__all__ = ["IMPLEMENTATIONS", "require_dtypes", "scaled_for_replicas", "valid"]

IMPLEMENTATIONS: dict[str, Callable[..., Any]] = {
    "fused": ops.tail_loss,
    "reference": reference.tail_loss,
}


def scaled_for_replicas(mean: Any) -> Any:
    """Replicas' gradients are added up, so each one's mean counts for its share (as in Keras)."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return mean if replicas == 1 else mean * tf.cast(1.0 / replicas, mean.dtype)


def valid(y_true: Any, y_pred: Any, options: TailOptions) -> Any:
    """Which elements are not ignored."""
    inputs = as_inputs(y_true, y_pred, options)
    found = valid_elements(inputs)
    return tf.ones_like(inputs.y_pred, tf.bool) if found is None else found
