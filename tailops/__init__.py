"""Keras losses for the errors that hurt most: the tail of a batch, selected without sorting it.

- `tailops.losses`: Keras losses, and the same as functions of tensors
- `tailops.layers`: what a model remembers, for losses with a window
- `tailops.metrics`: Keras metrics that skip missing values, and percentiles of the error
- `tailops.callbacks`: how the tail moves while a model trains
- `tailops.reference`: the same functions in plain TensorFlow, readable as the definition
- `tailops.ops`: the functions underneath, of the tensors of Keras's backend
- `tailops.kernels`: the kernels on NumPy arrays, without TensorFlow
- `tailops.cuda`: the kernels on the device arrays of PyTorch and CuPy
- `tailops.jax`: the losses as functions of JAX arrays, without TensorFlow
- `tailops.build_info()`: what this installation is made of
"""

import importlib
from typing import TYPE_CHECKING, Any

from tailops._build import build_info

if TYPE_CHECKING:
    from tailops import callbacks, cuda, jax, kernels, layers, losses, metrics, ops, reference

__all__ = [
    "__version__",
    "build_info",
    "callbacks",
    "cuda",
    "jax",
    "kernels",
    "layers",
    "losses",
    "metrics",
    "ops",
    "reference",
]
_SUBMODULES = {name for name in __all__ if name not in ("__version__", "build_info")}

__version__: str = build_info()["tailops"]

if not TYPE_CHECKING:  # checkers know the submodules, and what is none of them

    def __getattr__(name: str) -> Any:
        """Submodules load when first used: `tailops.kernels` does not need TensorFlow."""
        if name in _SUBMODULES:
            return importlib.import_module(f"tailops.{name}")
        raise AttributeError(f"module 'tailops' has no attribute {name!r}")
