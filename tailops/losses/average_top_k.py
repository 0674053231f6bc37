"""The mean of the k largest of a loss's values."""

from typing import Any

import keras

from tailops import _ranges
from tailops._families import documented
from tailops._functionals import TEXTS
from tailops.losses._around import AROUND
from tailops.losses._backend import tensors
from tailops.losses._range import RangeLoss

__all__ = ["AverageTopKLoss"]

_OWN = {
    "k": TEXTS["k"] + " Either this or `fraction`.",
    "fraction": "f, in (0, 1]: instead of k the share of the values, the largest, that counts. "
    "Also a scalar tensor or a variable, read at each step; without a gradient.",
}


@keras.saving.register_keras_serializable(package="tailops")
@documented(texts=TEXTS | AROUND | _OWN)
class AverageTopKLoss(RangeLoss):
    """The mean of the k largest values of any loss, or of a share of them.

    Formulas in `tailops.ops.average_top_k`. A share means the same whatever the size of the images
    and of the batch, and ignored values are no part of it.

    Args:
        ...: `help()` describes it, from the tables of `tailops.losses`.

    Raises:
        TypeError: An argument is not of its type.
        ValueError: Both or neither of `k` and `fraction` are given, or one is out of range.

    Example:
        >>> loss = AverageTopKLoss("mae", k=2)
        >>> float(loss([[0.0], [0.0], [0.0], [0.0]], [[1.0], [2.0], [3.0], [4.0]]))
        3.5
        >>> pixels = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
        >>> per_image = AverageTopKLoss(pixels, fraction=0.2, axis=(1, 2))

    Source: as `tailops.ops.average_top_k`.
    """

    def __init__(
        self,
        loss: Any,
        k: Any = None,
        fraction: Any = None,
        *,
        axis: Any = None,
        synchronized: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "average_top_k_loss",
        dtype: Any = None,
    ) -> None:
        if (k is None) == (fraction is None):
            raise ValueError(f"k={k!r}, fraction={fraction!r}: one of them must be given, not both")
        super().__init__(loss, axis, synchronized, reduction, name, dtype)
        self.k, self.fraction = k, fraction
        self.part()

    def part(self) -> _ranges.Range:
        """The largest."""
        if self.k is None:
            return _ranges.largest_share(tensors, self.fraction)
        return _ranges.largest(tensors, self.k)

    def numbers(self) -> dict[str, Any]:
        """How many, or which share."""
        return {"k": self.k, "fraction": self.fraction}
