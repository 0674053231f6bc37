"""One threshold for the shares of all replicas: the steps and their order, for every framework.

An order statistic of the union of the shares is found digit by digit of the values' bits: every
replica counts its own, and what all of them have counted is added up. So it is exact, the shares
stay where they are, and what is sent depends neither on them nor on how large they are: the same
collectives in the same order on every replica, of one whose share is empty too. Nothing here
branches on data.

What a replica does by itself, and how arrays are added up over replicas, each framework has its own
words for: `TailSteps`, `RangeSteps` and `AllReduce`.
"""

from collections.abc import Callable
from typing import Any, Protocol

AllReduce = Callable[[Any], Any]
"""The sum over all replicas of an array that each of them has, the same on all of them."""


class Search(Protocol):
    """The search for order statistics of the union, by one replica."""

    rounds: int
    """How many it takes."""

    def counts(self, number: int, search: Any) -> Any:
        """How often each digit of a round occurs in this share; `search` is None in the first."""

    def descend(self, number: int, counts: Any, search: Any) -> Any:
        """The search after a round, from the counts of all replicas."""


class TailSteps(Search, Protocol):
    """The tail loss of one replica's share."""

    exact: bool
    """Whether the gradient goes through the threshold."""

    def state(self, search: Any) -> Any:
        """That of the union, from a search after its last round."""

    def losses(self, state: Any) -> Any:
        """Of each element of this share."""

    def slopes(self, upstream: Any, state: Any) -> Any:
        """What this share adds to the gradient of each threshold."""

    def gradient(self, upstream: Any, state: Any, slopes: Any) -> Any:
        """Of this share, by the predictions; `slopes` are those of all, None if not `exact`."""


class RangeSteps(Search, Protocol):
    """The range mean of the union, by one replica."""

    def sums(self, search: Any) -> Any:
        """What this share has between the ends of the range."""

    def mean(self, search: Any, sums: Any) -> tuple[Any, Any]:
        """That of the union, from the sums of all, and the state for `gradient`."""

    def total(self, upstream: Any, all_reduce: AllReduce) -> Any:
        """What arrives at the mean on all replicas together."""

    def gradient(self, upstream: Any, state: Any) -> Any:
        """Of this share."""


def _searched(steps: Search, all_reduce: AllReduce) -> Any:
    search = None
    for number in range(steps.rounds):
        counts = all_reduce(steps.counts(number, search))
        search = steps.descend(number, counts, search)
    return search


def tail_forward(steps: TailSteps, all_reduce: AllReduce) -> tuple[Any, Any]:
    """The losses of this share, and the state of the union for `tail_backward`."""
    state = steps.state(_searched(steps, all_reduce))
    return steps.losses(state), state


def tail_backward(steps: TailSteps, upstream: Any, state: Any, all_reduce: AllReduce) -> Any:
    """The gradient of all replicas' Σ upstream · loss by this share's predictions."""
    slopes = all_reduce(steps.slopes(upstream, state)) if steps.exact else None
    return steps.gradient(upstream, state, slopes)


def range_forward(steps: RangeSteps, all_reduce: AllReduce) -> tuple[Any, Any]:
    """The mean of the union, on every replica, and the state for `range_backward`."""
    search = _searched(steps, all_reduce)
    return steps.mean(search, all_reduce(steps.sums(search)))


def range_backward(steps: RangeSteps, upstream: Any, state: Any, all_reduce: AllReduce) -> Any:
    """The gradient of all replicas' Σ upstream · mean by this share's values."""
    return steps.gradient(steps.total(upstream, all_reduce), state)
