"""Tail losses, the tail of values, selection on JAX arrays: `jit`, `grad`, `vmap`, no TensorFlow.

The same kernels as everywhere else, as custom calls; each loss is one call forward and one
backward. Needs JAX: `pip install tailops[jax]`. On NVIDIA GPUs too,
where tailops was built with CUDA: compiled, not run on hardware yet.
"""

from tailops.jax._requirements import require_jax

require_jax()

from tailops.jax._losses import hybrid_percentile_loss, max_fraction_loss, percentile_loss  # noqa: E402
from tailops.jax._selection import (  # noqa: E402
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    nth_element,
    percentile,
    quantile,
    top_k_mean,
)
from tailops.jax._tail_loss import TailOptions, tail_loss  # noqa: E402
from tailops.jax._tail_of_values import (  # noqa: E402
    average_top_k,
    cvar,
    ohem,
    range_mean,
    tail_mask,
    tail_weighted,
    trimmed_mean,
)

__all__ = [
    "TailOptions",
    "average_top_k",
    "cvar",
    "hybrid_percentile_loss",
    "max_fraction_loss",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "nth_element",
    "ohem",
    "percentile",
    "percentile_loss",
    "quantile",
    "range_mean",
    "tail_loss",
    "tail_mask",
    "tail_weighted",
    "top_k_mean",
    "trimmed_mean",
]
