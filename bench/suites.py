"""The one list of what is measured, whichever way it is run."""

import re

from bench import kernels, losses, scaling, selection, tails, train_step
from bench.case import Case
from bench.options import LARGEST


def cases(only: re.Pattern[str] | None = None, largest: int = LARGEST) -> list[Case]:
    """In the order of the results.

    Args:
        only: What a name must match; None: all.
        largest: Cases of more elements are cut down to so many; which are the same then, are one.

    Raises:
        ValueError: Nothing matches.
    """
    suites = (selection, losses, tails, train_step, kernels, scaling)
    every = dict.fromkeys(case.cut(largest) for suite in suites for case in suite.cases())
    chosen = [case for case in every if only is None or only.search(case.name)]
    if not chosen:
        raise ValueError(f"--only {only.pattern if only else ''}: must match the name of a case")
    return chosen
