"""The losses where Keras runs on JAX."""

from collections.abc import Callable
from typing import Any

import jax
import keras

from tailops._keras_scopes import get_stateless_scope
from tailops.jax import tail_loss
from tailops.jax._functionals import JAX as FRAMEWORK

__all__ = [
    "FRAMEWORK",
    "IMPLEMENTATIONS",
    "require_carried",
    "require_read_anew",
    "scaled_for_replicas",
    "variables_per_replica",
]

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


def require_carried(variable: Any, y_pred: Any) -> None:
    """Raises ValueError for a variable whose new value would stay inside of a traced step."""
    scope = get_stateless_scope()
    carried = scope is not None and scope.get_current_value(variable) is not None
    if carried or not isinstance(y_pred, jax.core.Tracer):
        return
    raise ValueError(
        f"{variable.path}: what the loss remembers is a variable of the model, and with Keras on "
        "JAX a traced step must carry it: compute the loss by model.stateless_compute_loss, or in "
        "keras.StatelessScope(state_mapping=...) of the model's non_trainable_variables, and keep "
        "what that returns"
    )


def variables_per_replica() -> dict[str, str]:
    """Nothing: an array is one, on however many devices."""
    return {}
