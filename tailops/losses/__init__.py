"""Keras losses that weight the errors in the tail, each as a class and as a function.

With e the error, t the threshold, and ℓ = e(1 + s·h) where h is 1 beyond t and 0 below:

| class | function | threshold t | loss |
|---|---|---|---|
| `PercentileLoss` | `percentile_loss` | percentile p of e | ℓ |
| `MaxFractionLoss` | `max_fraction_loss` | p · max e | ℓ |
| `HybridPercentileLoss` | `hybrid_percentile_loss` | percentile p of e | β·d² + (1 − β)·ℓ |
"""

import keras

from tailops.losses.hybrid import HybridPercentileLoss, hybrid_percentile_loss
from tailops.losses.max_fraction import MaxFractionLoss, max_fraction_loss
from tailops.losses.percentile import PercentileLoss, percentile_loss

__all__ = [
    "HybridPercentileLoss",
    "MaxFractionLoss",
    "PercentileLoss",
    "hybrid_percentile_loss",
    "max_fraction_loss",
    "percentile_loss",
]

# So that models compiled with them load. Not as decorators: Keras's has no types, and would take
# theirs.
for _function in (hybrid_percentile_loss, max_fraction_loss, percentile_loss):
    keras.saving.register_keras_serializable(package="tailops")(_function)
