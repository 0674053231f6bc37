"""A number of a loss that moves while a model trains."""

import math
from collections.abc import Callable
from typing import Any

import keras

from tailops._checks import integer, number, require_one_of
from tailops._numbers import number_in_config, require_scalar

__all__ = ["TailSchedule"]

_SHAPES: dict[str, Callable[[float], float]] = {
    "linear": lambda x: x,
    "cosine": lambda x: (1.0 - math.cos(math.pi * x)) / 2.0,
}
_UNITS = ("epoch", "step")


class TailSchedule(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves a variable that is a loss's argument, from everything to the tail, say.

    At position i, the number of the epoch or how many steps the optimizer has made, it holds

        start + (end − start)·shape(x),   x = min(max((i − begin)/over, 0), 1)

    where shape(x) is x or (1 − cos πx)/2, and with stairs ⌊stairs·shape(x)⌋/stairs. It is assigned
    before the epoch or the step begins, and nothing is compiled anew: a `keras.Variable` as p, κ or
    s of a loss that weights the tail, or as a number of one that averages it, is read at each step.
    With Keras on JAX it must be a variable of the model.

    What it holds depends on the position alone: training that goes on with `initial_epoch`, or with
    the optimizer that the model was saved with, goes on where it was.

    Args:
        variable: A scalar of a real dtype. Of float32 it holds a float32.
        start: Its first value.
        end: Its last value.
        over: How many epochs, or steps, it takes; positive.
        begin: The position until which it stays at `start`.
        shape: "linear" or "cosine".
        stairs: How many equal steps it takes, in place of moving at each position.
        unit: "epoch" or "step".
        name: Under which the logs of an epoch have what it holds; None: not at all.

    Raises:
        TypeError: `variable` is no `keras.Variable` of a real dtype, or a number is none.
        ValueError: It is no scalar, or an argument is out of range.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> from tailops.losses import AverageTopKLoss
        >>> fraction = keras.Variable(1.0)
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", AverageTopKLoss("mae", fraction=fraction))
        >>> narrower = TailSchedule(fraction, 1.0, 0.2, over=4, name="fraction")
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> history = model.fit(x, 2 * x, epochs=6, verbose=0, callbacks=[narrower])
        >>> [round(value, 2) for value in history.history["fraction"]]
        [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]

    Source: to begin with the mean and go over to the worst is what people ask for
    (tensorflow/models#8958); the cosine: Loshchilov and Hutter, SGDR, ICLR 2017.
    """

    def __init__(
        self,
        variable: keras.Variable,
        start: float,
        end: float,
        over: int,
        *,
        begin: int = 0,
        shape: str = "linear",
        stairs: int | None = None,
        unit: str = "epoch",
        name: str | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(variable, keras.Variable):
            raise TypeError(f"variable={variable!r}: must be a keras.Variable")
        require_scalar("variable", str(variable.dtype), variable.shape)
        self.variable = variable
        self.start: float = number("start", start)
        self.end: float = number("end", end)
        self.over: int = integer("over", over, least=1)
        self.begin: int = integer("begin", begin, least=0)
        require_one_of("shape", shape, _SHAPES)
        require_one_of("unit", unit, _UNITS)
        self.shape: str = shape
        self.unit: str = unit
        self.stairs: int | None = None if stairs is None else integer("stairs", stairs, least=1)
        self.name = name

    def value(self, position: int) -> float:
        """What the variable holds at an epoch or a step, counted from 0."""
        x = min(max((position - self.begin) / self.over, 0.0), 1.0)
        moved = _SHAPES[self.shape](x)
        if self.stairs is not None:
            # The last stair is reached where rounding leaves the product just below it.
            moved = math.floor(self.stairs * moved + 1e-9) / self.stairs
        return self.start + (self.end - self.start) * moved

    # Keras names what it passes.
    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Moves it, if epochs are the unit."""
        if self.unit == "epoch":
            self.variable.assign(self.value(epoch))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Moves it, if steps are."""
        if self.unit != "step":
            return
        if keras.backend.backend() == "jax":
            # Within an epoch the trainer has what the variables hold: put back, and read anew.
            self.model.jax_state_sync()
        self.variable.assign(self.value(int(number_in_config(self.model.optimizer.iterations))))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Says what it holds."""
        if logs is not None and self.name is not None:
            logs[self.name] = number_in_config(self.variable)
