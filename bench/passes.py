"""Our kernels' passes over one set of arrays, each against the floor of the same bytes."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from bench import floors
from bench.case import Contestant, Trial
from bench.published import OPTIONS, rank_of
from tailops import kernels
from tailops._options import TailOptions, forced

SELECTION, FORWARD, BACKWARD = "selection", "forward", "backward"
FLOORS = {
    SELECTION: "read one",
    FORWARD: "read two",
    BACKWARD: "read two, write one",
}
# How many arrays a pass must move.
ARRAYS = {SELECTION: 1, FORWARD: 2, BACKWARD: 3}


class How(NamedTuple):
    """How the kernels are called."""

    options: TailOptions = OPTIONS
    reduction: str = "mean"
    threads: int = 1
    selection: str = "auto"


def trial(y_pred: Any, how: How, passes: tuple[str, ...]) -> Trial:
    """These passes over residuals, against targets of zero. Tests say whether they are right."""
    # Written, not only allocated: pages of zeros would all be one page.
    y_true, out = np.full_like(y_pred, 0), np.full_like(y_pred, 0)
    arguments: dict[str, Any] = {"reduction": how.reduction, "threads": how.threads}
    options = forced(how.options, how.selection)
    loss, state = kernels.forward(y_true, y_pred, options, **arguments)
    upstream, rows = np.ones_like(loss), y_pred.reshape(-1, y_pred.shape[-1])
    rank = rank_of(rows.shape[1])
    calls: dict[str, Callable[[], Any]] = {
        SELECTION: partial(
            kernels.select, rows, [rank], method="rank", axis=1, threads=how.threads
        ),
        FORWARD: partial(kernels.forward, y_true, y_pred, options, out=loss, **arguments),
        BACKWARD: partial(
            kernels.backward, upstream, y_true, y_pred, state, how.options, out=out, **arguments
        ),
    }
    least = {
        SELECTION: floors.read_one(y_pred, how.threads),
        FORWARD: floors.read_two(y_true, y_pred, how.threads),
        BACKWARD: floors.read_two_write_one(y_true, y_pred, out, how.threads),
    }
    return Trial(
        makers={name: partial(Contestant, calls[name]) for name in passes},
        floors={FLOORS[name]: least[name] for name in passes},
        floor_of=FLOORS,
    )
