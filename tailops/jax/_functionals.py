"""The functions of values where they are JAX's."""

from dataclasses import replace
from typing import Any

from tailops._functionals import Framework
from tailops.jax import _arrays, _range_mean, _window
from tailops.jax._arguments import as_weights
from tailops.jax._devices import devices
from tailops.jax._replicas import Replicas
from tailops.jax._select import select
from tailops.jax._tail_loss import tail_loss

JAX = Framework(
    _arrays,
    means={"fused": _range_mean},
    tail_losses={"fused": tail_loss},
    window=_window,
    select=select,
    as_weights=as_weights,
    replicas=devices,
    of_every_group=True,
)


def framework_of(axis_name: Any) -> Framework:
    """JAX's, where the axis of this name is one of replicas; None: where devices have shards."""
    if axis_name is None:
        return JAX
    return replace(JAX, replicas=lambda: Replicas(axis_name), of_every_group=False)
