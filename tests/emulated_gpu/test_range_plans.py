"""What is launched for a range mean: see test_plans.py."""

import math

import pytest
from emulation import COMPILER
from planned import RangeCall, in_words
from selection_paths import RANGE_PATHS

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")

# A call, the way that its groups go, and the number of launches: the rows of docs/gpu.md's table.
RANGE_WAYS = {
    "nothing": (RangeCall(700, outer=0), "nothing 0"),
    "a group of a block": (RangeCall(16_384), "blocks 1"),
    "groups": (RangeCall(700, outer=20), "blocks 1"),
    "as many as two per multiprocessor": (RangeCall(50_000, outer=264), "blocks 1"),
    "columns": (RangeCall(90, inner=4000), "blocks 1"),
    "16 bits": (RangeCall(17_000, dtype="float16"), "digits 3"),
    "32 bits": (RangeCall(17_000), "digits 4"),
    "64 bits": (RangeCall(17_000, dtype="float64"), "digits 7"),
    "more groups than are in flight": (RangeCall(17_000, outer=17), "digits 8"),
    "large columns": (RangeCall(17_000, inner=3), "digits 4"),
    "weights": (RangeCall(700, weighted=True), "digits 5"),
    "weights of 16 bits": (RangeCall(700, dtype="float16", weighted=True), "digits 4"),
    "weights of 64 bits": (RangeCall(700, dtype="float64", weighted=True), "digits 8"),
    "weights, more groups than are in flight": (
        RangeCall(700, outer=17, weighted=True),
        "digits 10",
    ),
}


@pytest.mark.parametrize("name", RANGE_WAYS)
def test_the_way_of_a_range_mean_and_its_launches(plans, name):
    call, expected = RANGE_WAYS[name]
    words = in_words(plans("range", call)[0])
    assert words == expected


def test_the_paths_of_range_means_on_the_virtual_gpu_are_what_they_say(plans):
    for path in RANGE_PATHS:
        axis = 0 if path.axis is None else path.axis
        shape = path.shape if path.axis is not None else (math.prod(path.shape),)
        call = RangeCall(
            shape[axis], math.prod(shape[:axis]), math.prod(shape[axis + 1 :]),
            dtype=path.dtypes[0], weighted=path.weights != "", multiprocessors=4,
            shared_bytes=163 << 10,
        )  # fmt: skip
        forward = {name for name in path.kernels if "Gradient" not in name}
        assert forward == plans("range", call)[0].kernels, path.name


BLOCKS = "way=blocks launches=1 SelectInGroups<RangeInGroups>=500x1x32+2912 columns=8 cached=90"
DIGITS = (
    "way=digits launches=4 workspace=100608 digit_bits=11 passes=3 counts=4096 groups_at_once=3 "
    "rounds=1 ClearDigits<RangeDigits><Once>=9x3x256+0 CountDigits<RangeDigits><Once>=9x3x256+0 "
    "control=1656@0 all_counts=98304@1792 sums=432@100096"
)


def test_all_of_the_plan_of_a_range_mean(plans):
    calls = [RangeCall(90, inner=4000), RangeCall(17_000, outer=3), RangeCall(17_000, outer=3)]
    found = plans("range", *calls)
    assert [plan.text for plan in found] == [BLOCKS, DIGITS, DIGITS]
    assert [plan.equals_the_one_before for plan in found] == [False, False, True]
