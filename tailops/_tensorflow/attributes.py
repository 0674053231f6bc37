"""The options as attributes of the ops, and as their input."""

from typing import Any

import tensorflow as tf

from tailops._options import OPTIONS, TailOptions
from tailops._tensorflow import tensors

# Of the options, what is the ops' as well.
ATTRIBUTES = tuple(name for name in OPTIONS if name != "synchronized")


def _text(value: object) -> str:
    """As the op parses it: numbers in decimal, exactly; nothing for None."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)


def attributes_of(options: TailOptions) -> dict[str, Any]:
    """The options as attributes of the ops; of numbers that only a step knows, the defaults."""
    known = options.known().get_config()
    texts: dict[str, Any] = {name: _text(known[name]) for name in ATTRIBUTES}
    return texts | {"axis": [] if options.axis is None else [options.axis]}


def masks_of(mask: Any) -> list[Any]:
    """The ops' input of masks: one or none."""
    return [] if mask is None else [mask]


def numbers_of(options: TailOptions) -> list[tf.Tensor]:
    """The ops' input of numbers, if only a step knows some: one or none."""
    return [tensors.numbers(*options.numbers)] if options.is_scheduled else []
