"""The tail losses on JAX arrays, for `jit`, `grad` and `vmap`. TensorFlow is not loaded.

The same kernels as everywhere else, as custom calls; each loss is one call forward and one
backward. Needs JAX: `pip install tailops[jax]`. On NVIDIA GPUs too,
where tailops was built with CUDA: compiled, not run on hardware yet.
"""

from tailops.jax._requirements import require_jax

require_jax()

from tailops.jax._losses import hybrid_percentile_loss, max_fraction_loss, percentile_loss  # noqa: E402
from tailops.jax._tail_loss import TailOptions, tail_loss  # noqa: E402

__all__ = [
    "TailOptions",
    "hybrid_percentile_loss",
    "max_fraction_loss",
    "percentile_loss",
    "tail_loss",
]
