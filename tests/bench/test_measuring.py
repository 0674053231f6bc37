"""Timing, checking before timing, memory."""

from dataclasses import dataclass

import numpy as np
import pytest

from bench import losses, memory, published
from bench.baselines import LossTask, tensorflow
from bench.case import FLOOR, Compared, Contestant, Trial
from bench.losses import Loss
from bench.match import play
from bench.selection import Selection
from bench.timing import interleaved, slope, spread, times_floor


def test_everybody_has_every_round():
    calls = []
    actions = {name: lambda name=name: calls.append(name) for name in "abc"}
    times = interleaved(actions, rounds=4)
    assert {name: len(of) for name, of in times.items()} == {"a": 4, "b": 4, "c": 4}
    rounds = [calls[i : i + 3] for i in range(0, len(calls), 3)]
    assert len(rounds) == 5  # one is warm-up
    assert all(sorted(of) == ["a", "b", "c"] for of in rounds)


def test_who_is_slow_is_not_warmed_up_again():
    calls = []
    times = interleaved({"a": lambda: calls.append(1)}, rounds=3, slow=["a"])
    assert len(calls) == len(times["a"]) == 3


def test_median_and_quartiles():
    assert spread([1.0, 2.0, 3.0, 4.0, 100.0]) == (3.0, 2.0, 4.0, 5)
    assert spread([1.0]) == (1.0, 1.0, 1.0, 1)
    assert times_floor({"a": [4.0, 6.0, 100.0], "f": [2.0, 2.0, 50.0]}, "a", "f") == 2.0


def test_peak_memory_is_that_of_the_call():
    found, peak = memory.measured(lambda: np.ones(20_000_000, np.uint8).sum())
    assert found == 20_000_000
    assert peak is None or 15 < peak < 60


@dataclass(frozen=True)
class OfOne(Compared):
    """Who finds 1 is right."""

    what: str = "loss"
    n: int = 10
    finds: tuple[tuple[str, int], ...] = ()

    def who(self):
        return [name for name, _ in self.finds]

    def prepare(self):
        def expected(found):
            np.testing.assert_array_equal(found, 1)

        makers = {name: lambda found=found: Contestant(lambda: found) for name, found in self.finds}
        return Trial(makers, {FLOOR: lambda: None}, expected)


def row_of(case):
    (row,) = case.rows(play(case, seconds=0))
    return row


def test_who_is_wrong_is_left_out_and_ours_may_not_be():
    row = row_of(OfOne(finds=(("tailops", 1), ("other", 2))))
    assert list(row["who"]) == ["tailops"]
    assert "1" in row["left_out"]["other"]
    with pytest.raises(AssertionError, match="tailops in loss"):
        row_of(OfOne(finds=(("tailops", 2),)))


@pytest.mark.parametrize(
    "case",
    [
        Selection(n=500, data="sorted"),
        Loss(n=500, data="heavy-tailed"),
        pytest.param(Loss(n=500, data="few values"), marks=pytest.mark.extended),
        pytest.param(Loss(losses.GROUPS, 500, length=50, axis=0), marks=pytest.mark.extended),
    ],
    ids=lambda case: case.name,
)
def test_everybody_agrees_with_a_float64_evaluation(case, monkeypatch):
    monkeypatch.setattr(memory, "measured", lambda call: (call(), None))  # it takes half a second
    row = row_of(case)
    assert "left_out" not in row
    assert list(row["who"]) == case.who()
    assert {"tailops", "tf.sort", "NthElement"} <= set(row["who"])


def test_the_reference_is_what_differences_say():
    d = np.random.default_rng(0).standard_normal(50) / 50
    _, slope = published.in_float64(d, None)
    for i in range(0, 50, 7):
        step = np.zeros(50)
        step[i] = 1e-7
        up, down = (published.in_float64(d + sign * step, None)[0] for sign in (1, -1))
        np.testing.assert_allclose(slope[i], (up - down) / 2e-7, rtol=1e-4)


def test_a_graph_of_ours_has_two_operations():
    y = np.ones(8, np.float32)
    task = LossTask(0 * y, y, gradient=True)
    ours, sort = (tensorflow.LOSSES[name].make(task).operations for name in ("tailops", "tf.sort"))
    assert ours < 10 < sort


def test_slope_of_what_is_linear():
    assert slope([10.0, 100.0, 1000.0], [1.0, 10.0, 100.0]) == pytest.approx(1)
