"""A relative change with its 95 % interval over the seeds."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from bench.report.text import percent

# Of Student's t, two-sided 95 %, by degrees of freedom.
STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}


class Change(NamedTuple):
    """Of something trained from the same seeds: the mean, and 95 % around it."""

    mean: float
    half: float

    @property
    def verdict(self) -> str:
        """What the seeds show, where less is better."""
        if self.mean + self.half < 0:
            return "better"
        return "worse" if self.mean - self.half > 0 else "no difference shown"

    def __str__(self) -> str:
        return f"{percent(self.mean)} ± {100 * self.half:.1f}"


def over_seeds(values: Sequence[float]) -> Change:
    """The mean of a value for each seed."""
    if len(values) < 2:
        return Change(values[0], math.inf)
    student = STUDENT.get(len(values) - 1, 2.0)
    half = student * statistics.stdev(values) / math.sqrt(len(values))
    return Change(statistics.fmean(values), half)
