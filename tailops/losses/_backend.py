"""The implementation that goes with Keras's backend."""

import importlib
from typing import Any

import keras

from tailops._checks import require_one_of
from tailops._functionals import Framework
from tailops._inputs import Tensors
from tailops._options import SCHEDULED, TailOptions

NAME: str = keras.backend.backend()
_BACKENDS = ("tensorflow", "jax")

if NAME not in _BACKENDS:
    raise ImportError(
        f"tailops.losses: Keras's backend is {NAME!r}, and must be one of "
        f"{', '.join(map(repr, _BACKENDS))}; the environment variable KERAS_BACKEND chooses it."
    )

_module: Any = importlib.import_module(f"tailops.losses._{NAME}")
scaled_for_replicas = _module.scaled_for_replicas
require_read_anew = _module.require_read_anew
require_carried = _module.require_carried
FRAMEWORK: Framework = _module.FRAMEWORK
tensors: Tensors = FRAMEWORK.tensors


def require_numbers_read_anew(options: TailOptions) -> None:
    """As `require_read_anew`, of what of the options may be scheduled."""
    for name, number in zip(SCHEDULED, options.numbers, strict=True):
        require_read_anew(name, number)


def tail_loss_of(impl: str) -> Any:
    """The implementation of this name; ValueError if the backend has none."""
    allowed = _module.IMPLEMENTATIONS
    require_one_of("impl", impl, allowed, f", with Keras's backend {NAME!r}")
    return allowed[impl]
