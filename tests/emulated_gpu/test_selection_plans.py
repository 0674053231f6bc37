"""What is launched for a selection: see test_plans.py."""

import math

import pytest
from emulation import COMPILER
from planned import SelectCall, in_words
from selection_paths import SELECTION_PATHS

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")

# A call, the way that its groups go, and the number of launches: the rows of docs/gpu.md's table.
SELECT_WAYS = {
    "a group of a block": (SelectCall(16_384), "blocks 1"),
    "groups": (SelectCall(700, outer=20), "blocks 1"),
    "as many as two per multiprocessor": (SelectCall(50_000, outer=264), "blocks 1"),
    "columns": (SelectCall(90, inner=4000), "blocks 1"),
    "no q": (SelectCall(700, count=0), "nothing 0"),
    "many q": (SelectCall(700, count=40), "blocks 2"),
    "very many q": (SelectCall(700, count=257), "blocks 3"),
    "many q of the device": (SelectCall(700, count=40, on_host=False), "blocks 1"),
    "8 bits": (SelectCall(17_000, dtype="int8", method="rank"), "digits 2"),
    "16 bits": (SelectCall(17_000, dtype="float16"), "digits 3"),
    "32 bits": (SelectCall(17_000), "digits 4"),
    "32 bits, two q": (SelectCall(17_000, count=2), "digits 4"),
    "32 bits, three q": (SelectCall(17_000, count=3), "digits 5"),
    "32 bits, four q, none interpolated": (
        SelectCall(17_000, count=4, method="lower"), "digits 4",
    ),
    "32 bits, 16 q": (SelectCall(17_000, count=16), "digits 5"),
    "32 bits, 17 q": (SelectCall(17_000, count=17), "digits 10"),
    "64 bits": (SelectCall(17_000, dtype="float64"), "digits 7"),
    "64 bits, 16 q": (SelectCall(17_000, dtype="float64", count=16), "digits 9"),
    "more groups than are in flight": (SelectCall(17_000, outer=17), "digits 8"),
    "large columns": (SelectCall(17_000, inner=3), "digits 4"),
    "weights": (SelectCall(700, method="floor", weighted=True), "digits 5"),
    "weights of 8 bits": (SelectCall(9, dtype="int8", method="floor", weighted=True), "digits 3"),
    "weights, three q": (SelectCall(9, count=3, method="floor", weighted=True), "digits 6"),
    "weights, 64 bits, 17 q": (
        SelectCall(9, dtype="float64", count=17, method="floor", weighted=True), "digits 13",
    ),
    "weights, more groups than are in flight": (
        SelectCall(700, outer=17, method="floor", weighted=True), "digits 10",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SELECT_WAYS)
def test_the_way_of_a_selection_and_its_launches(plans, name):
    call, expected = SELECT_WAYS[name]
    assert in_words(plans("select", call)[0]) == expected


def test_the_paths_of_selection_on_the_virtual_gpu_are_what_they_say(plans):
    for path in SELECTION_PATHS:
        axis = 0 if path.axis is None else path.axis
        shape = path.shape if path.axis is not None else (math.prod(path.shape),)
        call = SelectCall(
            shape[axis], math.prod(shape[:axis]), math.prod(shape[axis + 1 :]),
            dtype="int8" if path.dtypes[0] == "int8" else "float32",
            method=path.method, count=len(path.q), weighted=path.weights != "",
            multiprocessors=4, shared_bytes=163 << 10,
        )  # fmt: skip
        forward = {name for name in path.kernels if "Gradient" not in name}
        assert forward == plans("select", call)[0].kernels, path.name


BLOCKS = (
    "way=blocks launches=2 workspace=512 stored=320@0 stores=1 StoreRanks=1x1x256+0 "
    "SelectInGroups<SelectionInGroups>=500x1x32+2912 columns=8 cached=90"
)
DIGITS = (
    "way=digits launches=4 workspace=100096 q_at_once=1 targets_of_q=2 q_rounds=1 digit_bits=11 "
    "passes=3 counts=4096 groups_at_once=3 rounds=1 ClearDigits<SelectionDigits><Once>=9x3x256+0 "
    "CountDigits<SelectionDigits><Once>=9x3x256+0 control=1608@0 all_counts=98304@1792"
)


def test_all_of_the_plan_of_a_selection(plans):
    calls = [SelectCall(90, inner=4000, count=40), SelectCall(17_000, outer=3)]
    assert [plan.text for plan in plans("select", *calls)] == [
        BLOCKS,
        DIGITS,
    ]
