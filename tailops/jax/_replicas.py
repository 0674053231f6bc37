"""The replicas that an axis of `shard_map`, `pmap` or `vmap` names."""

from typing import Any

import jax

from tailops._inputs import Inputs, as_inputs, valid_elements
from tailops._options import TailOptions, require_reduction
from tailops._reductions import reduced
from tailops.jax import _arrays, _union


class Replicas:
    """As `tailops._functionals.Replicas`."""

    def __init__(self, axis_name: Any) -> None:
        self.axis_name = axis_name

    def range_mean(
        self, values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None
    ) -> Any:
        """Those of the union of the shares, on every replica."""
        return _union.range_mean(values, bounds, kind, axis, mask, axis_name=self.axis_name)

    def range_weights(
        self, values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None
    ) -> Any:
        """Those of this replica's share."""
        return _union.range_weights(values, bounds, kind, axis, mask, axis_name=self.axis_name)

    def tail_loss(
        self, y_true: Any, y_pred: Any, options: TailOptions, *, reduction: str, mask: Any = None
    ) -> Any:
        """That of this replica's share, by the union's thresholds; means are of the share."""
        require_reduction(reduction)
        return self.of_inputs(as_inputs(_arrays, y_true, y_pred, options, mask), reduction)

    def of_inputs(self, inputs: Inputs, reduction: str) -> jax.Array:
        """The same of inputs that are checked."""
        losses = _union.of_share(inputs, self.axis_name)
        valid = valid_elements(_arrays, inputs)
        loss: jax.Array = reduced(_arrays, losses, valid, reduction)
        return loss

    def total(self, x: Any) -> Any:
        """The sum over all replicas, on each of them."""
        return jax.lax.psum(x, self.axis_name)
