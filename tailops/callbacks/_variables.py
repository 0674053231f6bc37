"""Variables in the place of a loss's numbers, and what they hold."""

from typing import Any

import keras

from tailops._numbers import number_in_config
from tailops._options import SCHEDULED, TailOptions


def variables_of(loss: Any) -> dict[str, float]:
    """What the variables hold that are numbers of a loss, by the arguments' names."""
    if not type(loss).__module__.startswith("tailops."):
        return {}
    numbers = dict(vars(loss))
    options = numbers.get("options")
    if isinstance(options, TailOptions):
        numbers |= {name: getattr(options, name) for name in SCHEDULED}
    return {
        name: number_in_config(number)
        for name, number in numbers.items()
        if isinstance(number, keras.Variable) and not name.startswith("_")
    }
