"""The published loss, and its gradient, of one group and of many: over n, data and dtype."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench import baselines, floors
from bench.arrays import as_numpy
from bench.case import FLOOR, Compared, Trial
from bench.environment import THREADS
from bench.inputs import DATA, DTYPES, TIED, VARIED, sorting_is_shown
from bench.published import in_float64

FORWARD, GRADIENT = "loss", "loss and gradient"
GROUPS = "loss and gradient, many groups"


@dataclass(frozen=True)
class Loss(Compared):
    """Of one group or of many.

    Attributes:
        axis: 1 where groups are rows, 0 where they are columns.
    """

    what: str = GRADIENT
    n: int = VARIED
    axis: int | None = None

    @property
    def shape(self) -> str:
        """In words."""
        if self.length is None:
            return "one group"
        lines = "columns" if self.axis == 0 else "rows"
        return f"{self.n // self.length:,} {lines} of {self.length:,}"

    def who(self) -> list[str]:
        """Who has this dtype and axis."""
        able = baselines.able(baselines.LOSSES, baselines.Kind(self.dtype, self.axis))
        return [name for name in able if sorting_is_shown(name, self.n, self.data, self.dtype)]

    def prepare(self) -> Trial:
        """All must agree with an evaluation in float64."""
        gradient = self.what != FORWARD
        y_pred = DATA[self.data](self.n).astype(self.dtype)
        if self.length is not None:
            y_pred = y_pred.reshape((self.length, -1) if self.axis == 0 else (-1, self.length))
        y_true = np.full_like(y_pred, 0)  # written: pages of zeros would all be one page
        task = baselines.LossTask(y_true, y_pred, gradient, self.axis)
        makers = {name: partial(baselines.LOSSES[name].make, task) for name in self.who()}
        floor = floors.read_and_write if gradient else floors.read_two
        return Trial(makers, {FLOOR: floor(y_true, y_pred, THREADS)}, self._expected(y_pred))

    def _expected(self, d: Any) -> Callable[[Any], None]:
        """The loss, and its gradient; of ties, what all of them have together."""
        value, slope = in_float64(d.astype(np.float64), self.axis)
        half = d.dtype.itemsize == 2
        tied = half or self.data in TIED

        def expected(found: Any) -> None:
            mean, *gradient = (as_numpy(array).astype(np.float64) for array in found)
            np.testing.assert_allclose(mean, value, rtol=1e-2 if half else 1e-5)
            for of in gradient:
                if tied:
                    total = (slope * np.sign(d)).sum()
                    np.testing.assert_allclose((of * np.sign(d)).sum(), total, rtol=2e-2)
                else:
                    atol = 1e-3 * np.abs(slope).max()
                    np.testing.assert_allclose(of, slope, rtol=0, atol=atol)

        return expected


def cases() -> Iterator[Loss]:
    """Quick ones first."""
    for power in (2, 4, 6):
        yield Loss(FORWARD, 10**power)
    for power in range(2, 8):
        yield Loss(GRADIENT, 10**power)
    for data in list(DATA)[1:]:
        yield Loss(data=data)
    for dtype in DTYPES:
        yield Loss(dtype=dtype)
    for length, axis in ((1000, 1), (10, 1), (1000, 0)):
        yield Loss(GROUPS, length=length, axis=axis)
