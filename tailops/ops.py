"""Functions of tensors: the tail loss, the tail of any values, and selection.

Of those of Keras's backend: on TensorFlow the native ops, on JAX the functions of `tailops.jax`.
"""

from typing import TYPE_CHECKING

import keras

from tailops._options import TailOptions

if TYPE_CHECKING or keras.backend.backend() != "jax":
    from tailops._tensorflow.ops import (
        average_top_k,
        cvar,
        median,
        nanmedian,
        nanpercentile,
        nanquantile,
        nth_element,
        ohem,
        percentile,
        quantile,
        range_mean,
        tail_loss,
        tail_mask,
        tail_weighted,
        top_k_mean,
        trimmed_mean,
    )
else:
    from tailops.jax import (
        average_top_k,
        cvar,
        median,
        nanmedian,
        nanpercentile,
        nanquantile,
        nth_element,
        ohem,
        percentile,
        quantile,
        range_mean,
        tail_loss,
        tail_mask,
        tail_weighted,
        top_k_mean,
        trimmed_mean,
    )

__all__ = [
    "TailOptions",
    "average_top_k",
    "cvar",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "nth_element",
    "ohem",
    "percentile",
    "quantile",
    "range_mean",
    "tail_loss",
    "tail_mask",
    "tail_weighted",
    "top_k_mean",
    "trimmed_mean",
]

keras.saving.register_keras_serializable(package="tailops")(TailOptions)
