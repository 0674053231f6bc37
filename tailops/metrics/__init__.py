"""Keras metrics that skip missing values, and the tail of errors and losses over all batches.

| class | value |
|---|---|
| `MaskedMeanSquaredError` | mean of (ŷ − y)² over the labels that are there |
| `MaskedMeanAbsoluteError` | mean of abs(ŷ − y) over the labels that are there |
| `MaskedCategoricalAccuracy` | share of right predictions, outside the ignored classes |
| `MaskedSparseCategoricalCrossentropy` | mean of −log p of the label, outside the ignored classes |
| `MaskedCosineSimilarity` | mean over rows of the cosine, over the finite pairs of each |
| `ErrorPercentile` | percentile of abs(ŷ − y) over all samples, within 1 % |
| `TailMean` | CVaR of any loss's values over all samples, within 1 % |

All count over every batch since the last reset, not batch by batch; honour `sample_weight` and
Keras masks; compile with XLA; add up over the replicas of `tf.distribute`; and run on Keras's
TensorFlow and JAX backends. An element that is skipped is selected away, whatever it holds. Before
anything has been counted, and where everything is ignored, the result is 0, as of Keras's metrics.
"""

from tailops.metrics.classification import (
    MaskedCategoricalAccuracy,
    MaskedSparseCategoricalCrossentropy,
)
from tailops.metrics.cosine_similarity import MaskedCosineSimilarity
from tailops.metrics.error_percentile import ErrorPercentile
from tailops.metrics.regression import MaskedMeanAbsoluteError, MaskedMeanSquaredError
from tailops.metrics.tail_mean import TailMean

__all__ = [
    "ErrorPercentile",
    "MaskedCategoricalAccuracy",
    "MaskedCosineSimilarity",
    "MaskedMeanAbsoluteError",
    "MaskedMeanSquaredError",
    "MaskedSparseCategoricalCrossentropy",
    "TailMean",
]
