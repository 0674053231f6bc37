"""Keras losses that weight the errors in the tail, each as a class and as a function.

With e the error, t the threshold, and ℓ = e(1 + s·h) where h is 1 beyond t and 0 below:

| class | function | threshold t | loss |
|---|---|---|---|
| `PercentileLoss` | `percentile_loss` | percentile p of e | ℓ |
| `MaxFractionLoss` | `max_fraction_loss` | p · max e | ℓ |
| `HybridPercentileLoss` | `hybrid_percentile_loss` | percentile p of e | β·d² + (1 − β)·ℓ |

And losses around any other one, whose values v are what that is before it is averaged:

| class | loss of each group of values | in plain functions |
|---|---|---|
| `TailWeightedLoss` | v(1 + s·h), t the percentile p of v | `tailops.ops.tail_weighted` |
| `CVaRLoss` | the mean of the largest 1 − p | `tailops.ops.cvar` |
| `AverageTopKLoss` | the mean of the k largest, or of a share | `tailops.ops.average_top_k` |
| `OHEMLoss` | the mean of what reaches a threshold | `tailops.ops.ohem` |
| `TrimmedLoss` | the mean without the largest f | `tailops.ops.trimmed_mean` |
"""

import keras

import tailops.layers  # noqa: F401  # so that models load whose losses remember
from tailops.losses.average_top_k import AverageTopKLoss
from tailops.losses.cvar import CVaRLoss
from tailops.losses.hybrid import HybridPercentileLoss, hybrid_percentile_loss
from tailops.losses.max_fraction import MaxFractionLoss, max_fraction_loss
from tailops.losses.ohem import OHEMLoss
from tailops.losses.percentile import PercentileLoss, percentile_loss
from tailops.losses.tail_weighted import TailWeightedLoss
from tailops.losses.trimmed import TrimmedLoss

__all__ = [
    "AverageTopKLoss",
    "CVaRLoss",
    "HybridPercentileLoss",
    "MaxFractionLoss",
    "OHEMLoss",
    "PercentileLoss",
    "TailWeightedLoss",
    "TrimmedLoss",
    "hybrid_percentile_loss",
    "max_fraction_loss",
    "percentile_loss",
]

# So that models compiled with them load. Not as decorators: Keras's has no types, and would take
# theirs.
for _function in (hybrid_percentile_loss, max_fraction_loss, percentile_loss):
    keras.saving.register_keras_serializable(package="tailops")(_function)
