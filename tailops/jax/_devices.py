"""The devices that have the shards of an array."""

from dataclasses import replace
from typing import Any

from tailops._options import TailOptions
from tailops.jax import _sharded
from tailops.jax._tail_loss import tail_loss


class Devices:
    """As `tailops._functionals.Replicas`, of arrays that JAX has in one piece.

    So a share is what XLA makes of it as it compiles, and a sum is of all shares already.
    """

    range_mean = staticmethod(_sharded.range_mean)
    range_weights = staticmethod(_sharded.range_weights)

    def tail_loss(
        self, y_true: Any, y_pred: Any, options: TailOptions, *, reduction: str, mask: Any = None
    ) -> Any:
        """As `tailops.jax.tail_loss`."""
        options = replace(options, synchronized=True)
        return tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)

    def total(self, x: Any) -> Any:
        """It is of all of them."""
        return x


def devices() -> Devices | None:
    """All of JAX's; None where there is one.

    Raises:
        ValueError: Here arrays are shares themselves.
    """
    return Devices() if _sharded.may_be() else None
