"""Keras's symbolic tensors, of which functional models are made, as arguments of our functions."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf

__all__ = ["FunctionCall", "takes_symbolic_tensors"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


def _is_symbolic(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)


@keras.saving.register_keras_serializable(package="tailops")
class FunctionCall(keras.Operation):  # type: ignore[misc]
    """A call of one of our functions as a node of a functional model, saved by the function's name.

    Args:
        function: The name of a function that `takes_symbolic_tensors`.
        name: Of the node.
    """

    def __init__(self, function: str, name: str | None = None) -> None:
        if function not in _FUNCTIONS:
            raise ValueError(f"function={function!r}: must be one of {', '.join(_FUNCTIONS)}")
        super().__init__(name=name)
        self.function = function

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result."""
        return _FUNCTIONS[self.function](*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype as TensorFlow infers them; raises what the function does."""
        given = [*args, *kwargs.values()]
        symbolic = [place for place, value in enumerate(given) if _is_symbolic(value)]

        def traced(*tensors: Any) -> Any:
            filled = list(given)
            for place, tensor in zip(symbolic, tensors, strict=True):
                filled[place] = tensor
            named = dict(zip(kwargs, filled[len(args) :], strict=True))
            return self.call(*filled[: len(args)], **named)

        # Not as sparse as Keras says: of it, x * 2 is.
        specs = [tf.TensorSpec(given[place].shape, given[place].dtype) for place in symbolic]
        function = tf.function(traced, autograph=False).get_concrete_function(*specs)
        return tf.nest.map_structure(
            lambda value: keras.KerasTensor(value.shape, value.dtype.name),
            function.structured_outputs,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"function": self.function, "name": self.name}


def takes_symbolic_tensors(function: _Function) -> _Function:
    """The function, which makes a symbolic tensor of such ones.

    What is passed along with them is saved with the model: numbers, strings, sequences, arrays, and
    registered objects that have Keras's `get_config`.
    """
    name = function.__name__
    _FUNCTIONS[name] = function

    @functools.wraps(function)
    def of_either(*args: Any, **kwargs: Any) -> Any:
        if not any(map(_is_symbolic, (*args, *kwargs.values()))):
            return function(*args, **kwargs)
        if keras.backend.backend() != "tensorflow":
            raise TypeError(
                f"{name} of a symbolic tensor of Keras on {keras.backend.backend()}: must be one "
                "of Keras on TensorFlow"
            )
        return FunctionCall(name).symbolic_call(*args, **kwargs)

    return of_either  # type: ignore[return-value]
