"""One case, everybody on it: checked, then timed interleaved, the floors among them."""

import time
from typing import Any, NamedTuple

from bench import memory
from bench.case import Case, Contestant, Trial
from bench.timing import Times, interleaved, spread, times_floor

# A first call of so many elements that takes longer is not made again before it is timed, and is
# timed no more often than must be. Of fewer elements it is compiling that takes the time.
SLOW_SECONDS, SLOW_FROM = 0.6, 1_000_000


class Match(NamedTuple):
    """What came of a case.

    Attributes:
        trial: The case with its data.
        contestants: Those who were right.
        left_out: Why the others are not there.
        peaks_of_slow: Of those that were not called again: the peak memory of their first call.
        times: Of the contestants and the floors.
    """

    trial: Trial
    contestants: dict[str, Contestant]
    left_out: dict[str, str]
    peaks_of_slow: dict[str, float | None]
    times: Times

    def of(self, name: str) -> dict[str, Any]:
        """How long it takes, also in its floor's times."""
        floor = self.trial.floor_for(name)
        ratio = times_floor(self.times, name, floor)
        return {**spread(self.times[name])._asdict(), "times_floor": ratio}

    def floor_seconds(self, name: str) -> float:
        """How long its floor takes."""
        return spread(self.times[self.trial.floor_for(name)]).seconds

    def peak_mib(self, name: str) -> float | None:
        """What the process grows by in a call."""
        if name in self.peaks_of_slow:
            return self.peaks_of_slow[name]
        return memory.measured(self.contestants[name].call)[1]


def first_call(contestant: Contestant, trial: Trial) -> tuple[float, float | None]:
    """Seconds, and peak MiB, of a call.

    Raises:
        AssertionError: Its result is wrong.
    """
    began = time.perf_counter()
    found, peak = memory.measured(contestant.call)
    taken = time.perf_counter() - began
    trial.expected(found)
    return taken, peak


def play(case: Case, seconds: float) -> Match:
    """Times everybody who is right.

    Args:
        case: What is measured.
        seconds: Of measuring, at least, for all together.

    Raises:
        AssertionError: One of ours is wrong.
    """
    trial = case.prepare()
    contestants: dict[str, Contestant] = {}
    peaks_of_slow: dict[str, float | None] = {}
    left_out = {}
    for name, make in trial.makers.items():
        try:
            contestant = make()
            taken, peak = first_call(contestant, trial)
        except Exception as error:  # whatever a library raises for what it does not have
            if case.is_ours(name):
                raise AssertionError(f"{name} in {case.name}: {error}") from error
            left_out[name] = " ".join(str(error).split())[:200]
            continue
        contestants[name] = contestant
        if taken > SLOW_SECONDS and case.n >= SLOW_FROM:
            peaks_of_slow[name] = peak
    calls = {name: contestant.call for name, contestant in contestants.items()}
    times = interleaved(
        {**trial.floors, **calls}, rounds=case.rounds, seconds=seconds, slow=peaks_of_slow
    )
    return Match(trial, contestants, left_out, peaks_of_slow, times)
