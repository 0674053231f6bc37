"""Variables in the place of a loss's numbers, and what they hold."""

from typing import Any

import keras

from tailops._options import SCHEDULED, TailOptions


def held(variable: keras.Variable) -> float:
    """What it holds, also where each replica has one."""
    return float(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(variable)))


def variables_of(loss: Any) -> dict[str, float]:
    """What the variables hold that are numbers of a loss, by the arguments' names."""
    if not type(loss).__module__.startswith("tailops."):
        return {}
    numbers = dict(vars(loss))
    options = numbers.get("options")
    if isinstance(options, TailOptions):
        numbers |= {name: getattr(options, name) for name in SCHEDULED}
    return {
        name: held(number)
        for name, number in numbers.items()
        if isinstance(number, keras.Variable) and not name.startswith("_")
    }
