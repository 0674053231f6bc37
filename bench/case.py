"""A case: what is measured, who is timed on it, and the least that memory must do.

The two ways of running, bench/runner.py and bench/test_speed.py, know cases by this alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from bench.environment import THREADS
from bench.timing import Action, spread

if TYPE_CHECKING:
    from bench.match import Match

FLOOR, OURS = "floor", "tailops"

Row = dict[str, Any]


class Contestant(NamedTuple):
    """Who is timed.

    Attributes:
        call: Returns what it found, computed to the end: arrays that NumPy reads without a copy.
        operations: TensorFlow operations of a step, where TensorFlow runs it.
    """

    call: Action
    operations: int | None = None


class Trial(NamedTuple):
    """A case with its data.

    Attributes:
        makers: Makes each contestant. That may compile: who is not asked for is not made.
        floors: What memory must do, by name.
        expected: Raises AssertionError for a wrong result.
        floor_of: Each contestant's floor, where there are several.
    """

    makers: Mapping[str, Callable[[], Contestant]]
    floors: dict[str, Action]
    expected: Callable[[Any], None] = lambda _: None
    floor_of: dict[str, str] | None = None

    def floor_for(self, who: str) -> str:
        """The name of this contestant's floor."""
        return FLOOR if self.floor_of is None else self.floor_of[who]


class Case(ABC):
    """What is measured.

    Attributes:
        n: Of how many elements.
        part: The list of the results that its rows are in.
        floors: Their names.
        rounds: How many, at least, when it is timed interleaved.
    """

    n: int
    part: ClassVar[str] = "cases"
    floors: ClassVar[tuple[str, ...]] = (FLOOR,)
    rounds: ClassVar[int] = 3

    @property
    @abstractmethod
    def name(self) -> str:
        """As --only matches it and the terminal shows it."""

    @abstractmethod
    def who(self) -> list[str]:
        """Who is timed, known before there is any data."""

    @abstractmethod
    def prepare(self) -> Trial:
        """Its data, of which everybody has the same."""

    @abstractmethod
    def cut(self, largest: int) -> "Case":
        """The same of at most so many elements."""

    @abstractmethod
    def rows(self, match: "Match") -> list[Row]:
        """What the results have of it."""

    def is_ours(self, who: str) -> bool:
        """Whether this contestant may not fail."""
        return who.startswith(OURS)


@dataclass(frozen=True)
class Compared(Case):
    """Ours against everybody: one row, with all of them.

    Attributes:
        what: Of which task.
        n: Of how many elements.
        data: Which of bench/inputs.py.
        dtype: The elements' type.
        length: Of a group, of which there are as many as there are elements for; None: one group.
    """

    what: str
    n: int
    data: str = "random"
    dtype: str = "float32"
    length: int | None = None

    @property
    def shape(self) -> str:
        """In words."""
        return "one group"

    @property
    def key(self) -> dict[str, Any]:
        """What a row says it is of."""
        fields = ("what", "n", "data", "dtype", "shape")
        return {name: getattr(self, name) for name in fields}

    @property
    def name(self) -> str:
        """As --only matches it and the terminal shows it."""
        return " | ".join(map(str, self.key.values()))

    def cut(self, largest: int) -> "Compared":
        """Of whole groups."""
        n = min(self.n, largest)
        if self.length is None:
            return replace(self, n=n)
        length = min(self.length, n)
        return replace(self, n=n // length * length, length=length)

    def rows(self, match: "Match") -> list[Row]:
        """One: who disagreed or could not is left out, and why is in it."""
        who = {
            name: {
                **match.of(name),
                "peak_mib": match.peak_mib(name),
                "operations": contestant.operations,
            }
            for name, contestant in match.contestants.items()
        }
        floor = spread(match.times[FLOOR])._asdict()
        row: Row = {**self.key, "threads": THREADS, "floor": floor, "who": who}
        return [{**row, "left_out": match.left_out} if match.left_out else row]
