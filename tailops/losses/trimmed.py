"""The mean of a loss's values without the largest share of them."""

from typing import Any

import keras

from tailops import _ranges
from tailops._families import documented
from tailops._functionals import TEXTS
from tailops.losses._around import AROUND
from tailops.losses._backend import tensors
from tailops.losses._range import RangeLoss
from tailops.losses._weighted import WEIGHTED

__all__ = ["TrimmedLoss"]


@keras.saving.register_keras_serializable(package="tailops")
@documented(texts=TEXTS | AROUND | WEIGHTED)
class TrimmedLoss(RangeLoss):
    """The mean of any loss without the largest share f of its values: outliers teach nothing.

    Formulas in `tailops.ops.range_mean`.

    Args:
        ...: `help()` describes it, from the tables of `tailops.losses`.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> loss = TrimmedLoss("mae", fraction=0.25)
        >>> float(loss([[0.0], [0.0], [0.0], [0.0]], [[1.0], [2.0], [3.0], [400.0]]))
        2.0

    Source: as `tailops.ops.trimmed_mean`.
    """

    def __init__(
        self,
        loss: Any,
        fraction: Any = 0.1,
        *,
        axis: Any = None,
        synchronized: bool = False,
        weighted: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "trimmed_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(loss, axis, synchronized, reduction, name, dtype, weighted)
        self.fraction = fraction
        self.part()

    def part(self) -> _ranges.Range:
        """All but the largest share."""
        return _ranges.smallest_share(tensors, self.fraction)

    def numbers(self) -> dict[str, Any]:
        """The share."""
        return {"fraction": self.fraction}
