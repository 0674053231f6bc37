"""The kernels alone, on what a selection may find hard, and in other types, shapes and threads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from bench import passes
from bench.case import Case, Row, Trial
from bench.environment import THREADS
from bench.inputs import DATA, DTYPES, random
from bench.passes import How
from tailops._options import TailOptions

if TYPE_CHECKING:
    from bench.match import Match

WHAT = "kernels"
N = 10_000_000
Residuals = np.ndarray[Any, Any]


class Setting(NamedTuple):
    """What is measured.

    Attributes:
        residuals: Makes so many.
        how: How the kernels are called.
        width: Of a matrix of them; None: one row.
    """

    residuals: Callable[[int], Residuals]
    how: How = How()
    width: int | None = None


def _two_values(n: int) -> Residuals:
    return np.random.default_rng(0).choice(np.array([0.25, 0.75], np.float32), n)


def _half_zeros(n: int) -> Residuals:
    return np.where(np.random.default_rng(3).random(n) < 0.5, np.float32(0), random(n))


def _missing(n: int) -> Residuals:
    return np.where(np.random.default_rng(3).random(n) < 0.3, np.float32(np.nan), random(n))


def _one_exponent(n: int) -> Residuals:
    return np.random.default_rng(3).uniform(1, 2, n).astype(np.float32)


def _subnormal(n: int) -> Residuals:
    return (np.random.default_rng(3).integers(0, 10**6, n) * 1e-45).astype(np.float32)


def _of_type(n: int, dtype: str) -> Residuals:
    return random(n).astype(dtype)


def _rows(width: int, axis: int) -> Setting:
    return Setting(random, How(TailOptions(0.99, 100.0, axis=axis)), width)


SETTINGS = {
    **{name: Setting(make) for name, make in DATA.items()},
    "two values": Setting(_two_values),
    "half zeros": Setting(_half_zeros),
    "30 % ignored": Setting(_missing, How(TailOptions(0.99, 100.0, ignore_nan=True))),
    "one exponent": Setting(_one_exponent),
    "a bracket that misses": Setting(random, How(selection="miss")),
    "random, all near the threshold": Setting(random, How(TailOptions(0.99, 1.0))),
    "subnormal, all near the threshold": Setting(_subnormal),
    f"random, {THREADS} threads": Setting(random, How(threads=THREADS)),
    **{f"random, {dtype}": Setting(partial(_of_type, dtype=dtype)) for dtype in DTYPES},
    "random, a loss per element": Setting(random, How(reduction="none")),
    "groups of 1,000": _rows(1000, 1),
    "1,000 columns": _rows(1000, 0),
    "8 columns": _rows(8, 0),
    "groups of 10": _rows(10, 1),
}
if THREADS == 1:
    del SETTINGS["random, 1 threads"]


@dataclass(frozen=True)
class Kernel(Case):
    """Forward and backward.

    Attributes:
        data: Which of the settings.
        n: Of how many elements.
    """

    data: str
    n: int = N
    part: ClassVar[str] = "kernels"
    floors: ClassVar[tuple[str, ...]] = (
        passes.FLOORS[passes.FORWARD],
        passes.FLOORS[passes.BACKWARD],
    )
    rounds: ClassVar[int] = 9

    @property
    def name(self) -> str:
        """As --only matches it and the terminal shows it."""
        return f"{WHAT} | {self.n} | {self.data}"

    def is_ours(self, who: str) -> bool:  # noqa: ARG002
        """Both are."""
        return True

    def who(self) -> list[str]:
        """The passes."""
        return [passes.FORWARD, passes.BACKWARD]

    def prepare(self) -> Trial:
        """On one thread unless it says otherwise."""
        setting = SETTINGS[self.data]
        residuals = setting.residuals(self.n)
        if setting.width is not None:
            residuals = residuals.reshape(-1, min(setting.width, self.n))
        return passes.trial(residuals, setting.how, tuple(self.who()))

    def cut(self, largest: int) -> "Kernel":
        """Of at most so many elements."""
        n = min(self.n, largest)
        width = min(SETTINGS[self.data].width or 1, n)
        return replace(self, n=n // width * width)

    def rows(self, match: "Match") -> list[Row]:
        """One for each pass."""
        size = SETTINGS[self.data].residuals(1).itemsize * self.n  # an array's
        return [
            {
                "n": self.n,
                "data": self.data,
                "pass": name,
                "seconds": match.of(name)["seconds"],
                "bytes": passes.ARRAYS[name] * size,
                "floor_seconds": match.floor_seconds(name),
                "times_floor": match.of(name)["times_floor"],
            }
            for name in self.who()
        ]


def cases() -> Iterator[Kernel]:
    """All settings."""
    return (Kernel(name) for name in SETTINGS)
