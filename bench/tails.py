"""The mean of the largest values, as of per-pixel losses, and its gradient: over n, data, dtype."""

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

FORWARD, GRADIENT = "mean of the largest", "mean of the largest and gradient"
SHARE = 0.1
# Eight images, and sixteen times as much.
PIXELS = (8 * 362 * 362, 2**24)


@dataclass(frozen=True)
class Tail(Compared):
    """The largest tenth of one group."""

    what: str = GRADIENT
    n: int = VARIED

    def who(self) -> list[str]:
        """Who has this dtype."""
        able = baselines.able(baselines.TAILS, baselines.Kind(self.dtype))
        return [name for name in able if sorting_is_shown(name, self.n, self.data, self.dtype)]

    def prepare(self) -> Trial:
        """All must agree with an evaluation in float64."""
        values = np.abs(DATA[self.data](self.n)).astype(self.dtype)
        gradient = self.what != FORWARD
        task = baselines.TailTask(values, max(1, int(self.n * SHARE)), gradient)
        makers = {name: partial(baselines.TAILS[name].make, task) for name in self.who()}
        floor = floors.read_then_read_and_write if gradient else floors.read_one
        return Trial(makers, {FLOOR: floor(values, THREADS)}, self._expected(values, task.k))

    def _expected(self, values: Any, k: int) -> Callable[[Any], None]:
        """The mean; which values its gradient is of, unless they are tied."""
        wide = values.astype(np.float64)
        kth = np.partition(wide, wide.size - k)[wide.size - k]
        mean = wide[wide > kth].sum() + (k - (wide > kth).sum()) * kth
        half = values.dtype.itemsize == 2

        def expected(found: Any) -> None:
            value, *gradient = (as_numpy(array).astype(np.float64) for array in found)
            np.testing.assert_allclose(value, mean / k, rtol=1e-2 if half else 1e-5)
            for of in gradient:
                if half or self.data in TIED:
                    assert (of[wide < kth] == 0).all()
                else:
                    np.testing.assert_allclose(of, (wide >= kth) / k, rtol=1e-5)

        return expected


def cases() -> Iterator[Tail]:
    """Quick ones first."""
    for what in (FORWARD, GRADIENT):
        for n in (1_000, 100_000, *PIXELS):
            yield Tail(what, n)
    for data in list(DATA)[1:]:
        yield Tail(data=data)
    for dtype in DTYPES:
        yield Tail(dtype=dtype)
