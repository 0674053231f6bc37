"""Which implementation a functional loss runs."""

from typing import Any

import tensorflow as tf

from tailops import ops, reference
from tailops._options import TailOptions

_IMPLEMENTATIONS = {"fused": ops.tail_loss, "reference": reference.tail_loss}


def per_sample_loss(y_true: Any, y_pred: Any, options: TailOptions, impl: str) -> tf.Tensor:
    """Per-sample losses by the fused op or the reference."""
    if impl not in _IMPLEMENTATIONS:
        raise ValueError(f"impl={impl!r}: must be one of {', '.join(map(repr, _IMPLEMENTATIONS))}")
    return _IMPLEMENTATIONS[impl](y_true, y_pred, options)
