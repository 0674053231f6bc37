"""Every contestant and every floor of every case, timed by pytest-benchmark."""

from typing import Any

import pytest

from bench.conftest import Prepared


def test_speed(benchmark: Any, prepared: Prepared, who: str) -> None:
    """Who is wrong, or has no such thing, is skipped; ours fails."""
    case, trial = prepared
    benchmark.group = case.name
    benchmark.extra_info["elements"] = case.n
    if who in trial.floors:
        benchmark(trial.floors[who])
        return
    try:
        contestant = trial.makers[who]()
        # Also the call that compiles, which nobody's time is to have.
        trial.expected(contestant.call())
    except Exception as error:  # whatever a library raises for what it does not have
        if case.is_ours(who):
            raise
        pytest.skip(f"{who}: {' '.join(str(error).split())[:200]}")
    benchmark.extra_info["floor"] = trial.floor_for(who)
    if contestant.operations is not None:
        benchmark.extra_info["operations"] = contestant.operations
    benchmark(contestant.call)
