"""Interleaved timing: a slow moment of the machine strikes everybody."""

import random
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

Action = Callable[[], Any]
Times = dict[str, list[float]]

MOST_ROUNDS = 300


class Spread(NamedTuple):
    """Seconds: the median, and the quartiles around it."""

    seconds: float
    low: float
    high: float
    rounds: int


def spread(times: list[float]) -> Spread:
    """Of the rounds of one action."""
    if len(times) < 2:
        return Spread(times[0], times[0], times[0], 1)
    low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
    return Spread(middle, low, high, len(times))


def interleaved(
    actions: Mapping[str, Action],
    rounds: int,
    seconds: float = 0.0,
    slow: Collection[str] = (),
) -> Times:
    """Seconds of each action in each round, in the order of the rounds.

    The order within a round is drawn anew, so that nobody always follows the same neighbour. What
    has had its share of the time leaves after `rounds` rounds; the others go on.

    Args:
        actions: What to time, by name; each once a round, after a call that is not counted.
        rounds: How many rounds, at least.
        seconds: How long to go on, at least, up to 300 rounds.
        slow: Those that are warm already and take long: they have no more than `rounds`.
    """
    for name in actions:
        if name not in slow:
            actions[name]()
    times: Times = {name: [] for name in actions}
    spent = dict.fromkeys(actions, 0.0)
    share = seconds / max(len(actions), 1)
    shuffled = random.Random(0)
    for done in range(MOST_ROUNDS):
        names = [
            name for name in actions if done < rounds or (spent[name] < share and name not in slow)
        ]
        if not names:
            break
        shuffled.shuffle(names)
        for name in names:
            started = time.perf_counter()
            actions[name]()
            taken = time.perf_counter() - started
            times[name].append(taken)
            spent[name] += taken
    return times


def times_floor(times: Times, name: str, floor: str) -> float:
    """The median ratio to the floor of the same round."""
    return statistics.median(a / b for a, b in zip(times[name], times[floor], strict=False))


def slope(sizes: list[float], seconds: list[float]) -> float:
    """Of the logarithm of the cost against that of the size: 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
