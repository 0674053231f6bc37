"""Which way a forward pass goes, by shape and options: each limit on both sides."""

import pytest

from tailops import _kernels
from tailops._options import TailOptions, forced

BUFFER, BLOCK = _kernels.BUFFER_LENGTH, _kernels.BLOCK_LENGTH


def plan_of(shape, reduction, *, axis=-1, selection="auto", masked=False, **options):
    options = forced(TailOptions(axis=axis, **options), selection)
    geometry = _kernels.Geometry(list(shape), axis, reduction)
    return _kernels.forward_plan(geometry, options.for_kernels(), masked)


def selecting(shape, reduction="none", **of):
    return plan_of(shape, reduction, **of)["selecting"]


def outputs(shape, reduction, **of):
    return plan_of(shape, reduction, **of)["outputs"]


def test_a_plan_is_a_value():
    expected = {"selecting": "columns", "outputs": "all groups", "sums_samples": False}
    assert plan_of((1000, 8), "mean", axis=0) == expected


@pytest.mark.parametrize("length", [1, 128])
def test_short_groups_lie_side_by_side(length):
    assert selecting((16, length)) == "short tiles"
    assert selecting((2, length, 15), axis=1) == "short tiles"
    assert selecting((2, length, 16), axis=1) == "short columns"


def test_short_groups_are_taken_one_by_one_where_they_are():
    assert selecting((15, 128)) == "groups", "few"
    assert selecting((16, 129)) == "groups", "longer"
    assert selecting((16, 128), masked=True) == "groups", "with some that do not count"
    assert selecting((16, 128), selection="sampled") == "groups", "sampled by a test"


def test_long_columns_are_taken_together():
    assert selecting((BUFFER + 1, 2), axis=0) == "columns"
    assert selecting((BUFFER + 1, 2), axis=0, selection="miss") == "columns"
    for alone in (
        {"shape": (BUFFER, 2)},
        {"shape": (BUFFER + 1, 1)},
        {"shape": (BUFFER + 1, 2), "selection": "radix"},
        {"shape": (BUFFER + 1, 2), "masked": True},
        {"shape": (BUFFER + 1, 2), "ignore_value": -1.0},
        {"shape": (BUFFER + 1, 2), "ignore_nan": True},
    ):
        assert selecting(axis=0, **alone) == "groups", alone


def test_sums_of_groups_are_all_that_some_outputs_need():
    for axis in (0, 1, None):
        assert outputs((20, 30), "mean", axis=axis) == "all groups"
        assert outputs((20, 30), "sum", axis=axis) == "all groups"
    assert outputs((20, 30), "per_sample") == "each group"
    assert outputs((20, 30), "per_sample", beta=0.1) == "rows", "no group has its squares"
    assert outputs((20, 30), "per_sample", axis=0) == "rows"


def test_other_outputs_are_a_second_pass():
    assert outputs((20, 30), "none") == "elements"
    assert outputs((20,), "per_sample") == "elements"
    assert outputs((2, BLOCK), "per_sample", axis=None) == "rows"
    assert outputs((2, BLOCK + 1), "per_sample", axis=None) == "long rows"


def test_samples_have_means_of_their_own_where_some_elements_do_not_count():
    for reduction in ("none", "per_sample", "mean"):
        assert not plan_of((20, 30), reduction, masked=True)["sums_samples"]
    assert not plan_of((20, 30), "sum")["sums_samples"]
    plan = plan_of((20, 30), "sum", axis=None, masked=True)
    assert plan == {"selecting": "groups", "outputs": "rows", "sums_samples": True}
