"""The mean of the largest share of a loss's values."""

from typing import Any

import keras

from tailops import _ranges
from tailops._families import documented
from tailops._functionals import TEXTS
from tailops._weighted import require_no_window
from tailops.losses._around import AROUND
from tailops.losses._backend import tensors
from tailops.losses._range import RangeLoss
from tailops.losses._weighted import WEIGHTED
from tailops.losses._window import WINDOW, as_window

__all__ = ["CVaRLoss"]


@keras.saving.register_keras_serializable(package="tailops")
@documented(texts=TEXTS | AROUND | WINDOW | WEIGHTED)
class CVaRLoss(RangeLoss):
    """Conditional value at risk of any loss: the mean of the largest share 1 − p of its values.

    Formulas in `tailops.ops.range_mean`. Values that are left out have no gradient; of n values in
    a group, the (1 − p)·n largest have one of 1/((1 − p)·n) each.

    With a window it is t + mean(max(v − t, 0))/(1 − p) of the batch's values, where t is the
    percentile of the window: Rockafellar and Uryasev's form, which is the same where the window is
    the batch. Values at t share what is left of the mass, as without a window.

    Args:
        ...: `help()` describes it, from the tables of `tailops.losses`.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> loss = CVaRLoss("mae", percentile=0.5)
        >>> float(loss([[0.0], [0.0], [0.0], [0.0]], [[1.0], [2.0], [3.0], [4.0]]))
        3.5

    Source: as `tailops.ops.cvar`.
    """

    def __init__(
        self,
        loss: Any,
        percentile: Any = 0.95,
        *,
        axis: Any = None,
        window: int | None = None,
        synchronized: bool = False,
        weighted: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cvar_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(loss, axis, synchronized, reduction, name, dtype, weighted)
        self.percentile = percentile
        self.part()
        self.window = as_window(window, axis)
        if self.weighted:
            require_no_window(window)

    def part(self) -> _ranges.Range:
        """What is above the percentile."""
        return _ranges.beyond(tensors, self.percentile)

    def numbers(self) -> dict[str, Any]:
        """The percentile."""
        return {"percentile": self.percentile}

    def own_config(self) -> dict[str, Any]:
        """And the window."""
        return {**super().own_config(), "window": self.window}
