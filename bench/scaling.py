"""How the kernels' cost grows: with n, with the number of groups, with threads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench import passes
from bench.case import Case, Row, Trial
from bench.environment import THREADS
from bench.inputs import random
from bench.options import LARGEST
from bench.passes import How
from bench.published import OPTIONS, PERCENTILE, SMOOTHING_FACTOR
from tailops._options import TailOptions

if TYPE_CHECKING:
    from bench.match import Match

WHAT = "scaling with"
BY_SIZE, BY_GROUPS, BY_THREADS = "n", "groups", "threads"
SMALLEST, OF_GROUPS_AND_THREADS = 100, 10_000_000


@dataclass(frozen=True)
class Scaling(Case):
    """A point of a curve.

    Attributes:
        by: What is varied.
        n: Of how many elements.
        groups: In how many groups.
        threads: On so many; on one, except where they are what is varied.
    """

    by: str
    n: int
    groups: int = 1
    threads: int = 1
    part: ClassVar[str] = "scaling"
    floors: ClassVar[tuple[str, ...]] = tuple(passes.FLOORS.values())

    @property
    def name(self) -> str:
        """As --only matches it and the terminal shows it."""
        return f"{WHAT} {self.by} | {self.n} | groups {self.groups} | threads {self.threads}"

    def is_ours(self, who: str) -> bool:  # noqa: ARG002
        """All are."""
        return True

    def who(self) -> list[str]:
        """The passes."""
        return list(passes.FLOORS)

    def prepare(self) -> Trial:
        """Random residuals."""
        y_pred, options = random(self.n), OPTIONS
        if self.by == BY_GROUPS:
            y_pred = y_pred.reshape(self.groups, -1)
            options = TailOptions(PERCENTILE, SMOOTHING_FACTOR, axis=1)
        return passes.trial(y_pred, How(options, threads=self.threads), tuple(self.who()))

    def cut(self, largest: int) -> "Scaling":
        """A point of the curve of at most so many elements, of which this has the last."""
        n = min(self.n, largest)
        groups = min(self.groups, max(1, n // 10))
        return Scaling(self.by, n // groups * groups, groups, self.threads)

    def rows(self, match: "Match") -> list[Row]:
        """One, of all passes."""
        row: Row = {"by": self.by, "n": self.n, "groups": self.groups, "threads": self.threads}
        for name in self.who():
            row[name] = {**match.of(name), "floor_seconds": match.floor_seconds(name)}
        return [row]


def cases() -> Iterator[Scaling]:
    """Three curves."""
    n = SMALLEST
    while n <= LARGEST:
        yield Scaling(BY_SIZE, n)
        n *= 10
    groups = 1
    while groups <= OF_GROUPS_AND_THREADS // 10:
        yield Scaling(BY_GROUPS, OF_GROUPS_AND_THREADS, groups)
        groups *= 10
    for threads in range(1, THREADS + 1):
        yield Scaling(BY_THREADS, OF_GROUPS_AND_THREADS, threads=threads)
