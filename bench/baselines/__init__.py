"""The others, each the best honest way to write it in its library, and ours: in one place.

By name, in the order of the tables. A library that is not installed has none.
"""

from collections.abc import Mapping
from typing import Any

from bench.baselines import jax, numpy, tensorflow, torch
from bench.baselines.entry import Baseline, Kind, LossTask, SelectionTask, TailTask

__all__ = [
    "LOSSES",
    "SELECTIONS",
    "TAILS",
    "Kind",
    "LossTask",
    "SelectionTask",
    "TailTask",
    "able",
]

LOSSES: dict[str, Baseline[LossTask]] = {
    **tensorflow.LOSSES,
    **numpy.LOSSES,
    **torch.LOSSES,
    **jax.LOSSES,
}
SELECTIONS: dict[str, Baseline[SelectionTask]] = {
    **tensorflow.SELECTIONS,
    **numpy.SELECTIONS,
    **torch.SELECTIONS,
    **jax.SELECTIONS,
}
TAILS: dict[str, Baseline[TailTask]] = {
    **tensorflow.TAILS,
    **numpy.TAILS,
    **torch.TAILS,
    **jax.TAILS,
}


def able(baselines: Mapping[str, Baseline[Any]], kind: Kind) -> list[str]:
    """The names of those who can do it."""
    return [name for name, baseline in baselines.items() if baseline.can(kind)]
