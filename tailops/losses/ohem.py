"""The mean of a loss's hard examples."""

from typing import Any

import keras

from tailops import _ranges
from tailops._families import documented
from tailops._functionals import TEXTS
from tailops.losses._around import AROUND
from tailops.losses._backend import tensors
from tailops.losses._range import RangeLoss

__all__ = ["OHEMLoss"]


@keras.saving.register_keras_serializable(package="tailops")
@documented(texts=TEXTS | AROUND)
class OHEMLoss(RangeLoss):
    """Online hard example mining of any loss: the mean of the values that reach a threshold.

    Formulas in `tailops.ops.ohem`. The threshold is in units of the loss: of a cross-entropy,
    −log 0.7 = 0.357 keeps what has a probability of 0.7 at most.

    Args:
        ...: `help()` describes it, from the tables of `tailops.losses`.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> loss = OHEMLoss("mae", threshold=2.5)
        >>> float(loss([[0.0], [0.0], [0.0], [0.0]], [[1.0], [2.0], [3.0], [4.0]]))
        3.5

    Source: as `tailops.ops.ohem`.
    """

    def __init__(
        self,
        loss: Any,
        threshold: Any = None,
        min_kept: Any = 1,
        *,
        axis: Any = None,
        synchronized: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ohem_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(loss, axis, synchronized, reduction, name, dtype)
        self.threshold, self.min_kept = threshold, min_kept
        self.part()

    def part(self) -> _ranges.Range:
        """What reaches the threshold, and no fewer than so many."""
        return _ranges.at_least(tensors, self.threshold, self.min_kept)

    def numbers(self) -> dict[str, Any]:
        """The threshold, and how many are kept at least."""
        return {"threshold": self.threshold, "min_kept": self.min_kept}
