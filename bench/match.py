"""One case, everybody on it: checked equal, then timed interleaved, against the floor."""

import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bench import memory
from bench.timing import interleaved, spread, times_floor
from tailops import _kernels

THREADS = len(os.sched_getaffinity(0))
FLOOR, OURS = "floor", "tailops"
# A first call of so many elements that takes longer is not made again before it is timed, and is
# timed no more often than must be. Of fewer elements it is compiling that takes the time.
SLOW_SECONDS, SLOW_FROM = 0.6, 1_000_000


class Contestant(NamedTuple):
    """What is timed: it returns what it found, as arrays that NumPy reads without a copy.

    Attributes:
        call: Returns the result, a tuple of arrays.
        operations: TensorFlow operations of a step, where TensorFlow runs it.
    """

    call: Callable[[], Any]
    operations: int | None = None


class Case(NamedTuple):
    """What is measured, on how much of which data."""

    what: str
    n: int
    data: str = "random"
    dtype: str = "float32"
    shape: str = "one group"

    @property
    def name(self) -> str:
        """As --only matches it and the terminal shows it."""
        return f"{self.what} | {self.n} | {self.data} | {self.dtype} | {self.shape}"


def floor_of(arrays: list[np.ndarray], writes: bool) -> Callable[[], Any]:
    """The least that memory must do: read two arrays; and, for a gradient, once more, and write.

    One array is read as two halves.
    """
    if len(arrays) == 1:
        flat = arrays[0].reshape(-1).view(np.uint8)
        half = flat.size // 8 * 4
        a, b = flat[:half].view(np.float32), flat[half : 2 * half].view(np.float32)
    else:
        a, b = (array.reshape(-1).view(np.uint8) for array in arrays)
        whole = a.size // 4 * 4
        a, b = a[:whole].view(np.float32), b[:whole].view(np.float32)
    out = np.full_like(a, 0)

    def floor() -> None:
        _kernels.read_two(a, b, THREADS)
        if writes:
            _kernels.read_two_write_one(a, b, out, THREADS)

    return floor


def _first_call(
    call: Callable[[], Any], expected: Callable[[Any], None]
) -> tuple[float, float | None]:
    """Seconds, and peak MiB, of a call whose result is right."""
    began = time.perf_counter()
    found, peak = memory.measured(call)
    taken = time.perf_counter() - began
    expected(found)
    return taken, peak


def play(
    case: Case,
    contestants: dict[str, Contestant],
    floor: Callable[[], Any],
    expected: Callable[[Any], None],
    seconds: float,
) -> dict[str, Any]:
    """A row of the results; who disagrees or cannot is left out, and why is in the row.

    Args:
        case: What it is called.
        contestants: By name.
        floor: Timed in the same rounds.
        expected: Raises AssertionError for a wrong result.
        seconds: Of measuring, at least, for all together.

    Raises:
        AssertionError: One of ours is wrong.
    """
    calls: dict[str, Callable[[], Any]] = {}
    peaks_of_slow: dict[str, float | None] = {}
    left_out = {}
    for name, (call, _) in contestants.items():
        try:
            taken, peak = _first_call(call, expected)
        except Exception as error:  # whatever a library raises for what it does not have
            if name.startswith(OURS):
                raise AssertionError(f"{name} in {case.name}: {error}") from error
            left_out[name] = " ".join(str(error).split())[:200]
            continue
        calls[name] = call
        if taken > SLOW_SECONDS and case.n >= SLOW_FROM:
            peaks_of_slow[name] = peak
    times = interleaved({FLOOR: floor, **calls}, rounds=3, seconds=seconds, slow=peaks_of_slow)
    who = {
        name: {
            **spread(times[name])._asdict(),
            "times_floor": times_floor(times, name, FLOOR),
            "peak_mib": peaks_of_slow[name] if name in peaks_of_slow else memory.measured(call)[1],
            "operations": contestants[name].operations,
        }
        for name, call in calls.items()
    }
    row: dict[str, Any] = {**case._asdict(), "threads": THREADS}
    row |= {"floor": spread(times[FLOOR])._asdict(), "who": who}
    return {**row, "left_out": left_out} if left_out else row
