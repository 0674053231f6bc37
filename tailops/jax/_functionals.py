"""The functions of values where they are JAX's."""

from tailops._functionals import Framework
from tailops.jax import _arrays, _range_mean
from tailops.jax._tail_loss import tail_loss

JAX = Framework(_arrays, means={"fused": _range_mean}, tail_losses={"fused": tail_loss})
