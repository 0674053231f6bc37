"""Any Keras loss as a function of labels and predictions: its values, before they are reduced."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from tailops import _checks
from tailops._keras_masks import mask_of


def resolve_loss(argument: str, loss: Any) -> Any:
    """A Keras loss or a function, from what `compile` takes.

    Args:
        argument: Its name, for errors.
        loss: A name, a class, an instance, a function, or the configuration of one of them.

    Returns:
        A `keras.losses.Loss`, or a function of `(y_true, y_pred)`.

    Raises:
        TypeError: It cannot be a loss.
        ValueError: Keras knows no loss of this name.
    """
    if not (isinstance(loss, str | dict) or callable(loss)):
        raise TypeError(
            f"{argument}={loss!r}: must be a Keras loss (a name, a class, an instance or a "
            f"function), not {type(loss).__name__}"
        )
    try:
        return keras.losses.get(loss)
    except ValueError as problem:
        if not isinstance(loss, str):
            raise
        raise ValueError(
            f"{argument}={loss!r}: must be the name of a Keras loss, as 'mae' or "
            "'SparseCategoricalCrossentropy'"
        ) from problem


def loss_config(loss: Any) -> Any:
    """What `resolve_loss` makes the same loss of, and Keras can save."""
    if isinstance(loss, str | dict):
        return loss
    if inspect.isclass(loss):
        loss = loss()
    return keras.saving.serialize_keras_object(loss)


def loss_values(
    argument: str, loss: Any, dtype: str
) -> Callable[[Any, Any], tuple[Any, tuple[Any, ...]]]:
    """The values of a loss and their masks.

    Args:
        argument: The loss's name, for errors.
        loss: As `resolve_loss` returns it.
        dtype: What a function's labels and predictions are cast to, as Keras does it; a
            `keras.losses.Loss` has a dtype of its own.

    Returns:
        A function of `(y_true, y_pred)`: what the loss's `call` returns, floating and of one
        dimension or more, and the Keras masks of y_pred and of these values, as far as there are
        any. A mask may lack last axes of the values. The function raises TypeError or ValueError
        where a loss returns something else.
    """
    is_loss = isinstance(loss, keras.losses.Loss)
    used = loss.dtype if is_loss else dtype

    def values_of(y_true: Any, y_pred: Any) -> tuple[Any, tuple[Any, ...]]:
        masks = [mask_of(y_pred)]
        pair = []
        for name, given in (("y_true", y_true), ("y_pred", y_pred)):
            _checks.require_dense(name, given)
            foreign = _checks.foreign_dtype(given)
            if foreign is not None:
                raise TypeError(f"{name} of dtype {foreign}: must be real numbers")
            pair.append(keras.ops.convert_to_tensor(given, dtype=used))
        # What Keras's own wrapper of functions does first, too.
        values = loss.call(*pair) if is_loss else loss(*_checks.same_rank(keras.ops, *pair))
        masks.append(mask_of(values))
        values = keras.ops.convert_to_tensor(values)
        kind = keras.backend.standardize_dtype(values.dtype)
        if kind not in _checks.FLOATING:
            raise TypeError(
                f"{argument}={loss!r} returns {kind}: must be one of {', '.join(_checks.FLOATING)}"
            )
        if _checks.rank_of(values.shape) == 0:
            raise ValueError(
                f"{argument}={loss!r} returns a scalar: must be a value for each sample, as what "
                "the `call` of a loss returns before it is reduced"
            )
        return values, tuple(mask for mask in masks if mask is not None)

    return values_of
