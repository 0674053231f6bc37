"""The element of a rank of one row or of many: over n, rank, data and dtype."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bench import baselines, floors
from bench.arrays import as_numpy
from bench.case import FLOOR, Compared, Trial
from bench.environment import THREADS
from bench.inputs import DATA, DTYPES, VARIED, sorting_is_shown
from bench.published import rank_of

WHAT = "selection"


@dataclass(frozen=True)
class Selection(Compared):
    """Of one row or of many.

    Attributes:
        median: Whether it is the element in the middle, or the 99th percentile.
    """

    what: str = WHAT
    n: int = VARIED
    median: bool = False

    @property
    def shape(self) -> str:
        """In words."""
        rows = "one row" if self.length is None else f"{self.n // self.length:,} rows of "
        rows += "" if self.length is None else f"{self.length:,}"
        return f"{rows}, {'median' if self.median else 'p99'}"

    def who(self) -> list[str]:
        """Who has this dtype."""
        able = baselines.able(baselines.SELECTIONS, baselines.Kind(self.dtype))
        return [name for name in able if sorting_is_shown(name, self.n, self.data, self.dtype)]

    def prepare(self) -> Trial:
        """All must find the very element."""
        length = self.length or self.n
        x = DATA[self.data](self.n).astype(self.dtype).reshape(-1, length)
        rank = length // 2 if self.median else rank_of(length)
        task, right = baselines.SelectionTask(x, rank), np.sort(x, axis=1)[:, rank]

        def expected(found: Any) -> None:
            np.testing.assert_array_equal(as_numpy(found[0]), right)

        makers = {name: partial(baselines.SELECTIONS[name].make, task) for name in self.who()}
        return Trial(makers, {FLOOR: floors.read_one(x, THREADS)}, expected)


def cases() -> Iterator[Selection]:
    """Quick ones first."""
    for power in range(3, 8):
        yield Selection(n=10**power)
    yield Selection(median=True)
    for data in list(DATA)[1:]:
        yield Selection(data=data)
    for dtype in DTYPES:
        yield Selection(dtype=dtype)
    for length in (1000, 10):
        yield Selection(length=length, median=True)
