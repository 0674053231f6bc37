"""Interleaved timing: a slow moment of the machine strikes everybody."""

import time
from collections.abc import Callable
from typing import Any


def interleaved(
    actions: dict[str, Callable[[], Any]], rounds: int, seconds: float = 0.0
) -> dict[str, list[float]]:
    """Seconds of each action in each round.

    Args:
        actions: What to time, by name; each once a round, after a round that is not counted.
        rounds: How many rounds, at least.
        seconds: How long to go on, at least.
    """
    for action in actions.values():
        action()
    times: dict[str, list[float]] = {name: [] for name in actions}
    began = time.perf_counter()
    done = 0
    while done < rounds or time.perf_counter() - began < seconds:
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - started)
        done += 1
    return times
