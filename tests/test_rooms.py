"""Nothing of csrc includes a room above it: csrc/README.md has the rooms."""

import re

import pytest
from sources import SOURCES

# From the ground up; rooms in one line do not know each other.
FLOORS = [
    ["core"],
    ["formulas"],
    ["call"],
    ["cpu/simd", "cuda/device"],
    ["cpu/pass", "cuda/select"],
    ["cpu/select", "cuda/loss", "cuda/quantile", "cuda/range_mean"],
    ["cpu/loss", "cpu/quantile", "cpu/range_mean", "cpu/union", "cuda/union"],
    ["xla/shared"],
    ["xla/loss", "xla/quantile", "xla/range_mean", "xla/union"],
    ["python", "tensorflow/shared"],
    ["tensorflow/loss", "tensorflow/quantile", "tensorflow/range_mean"],
    ["tensorflow/union"],
    ["tensorflow"],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(file for file in SOURCES.rglob("*.*") if file.suffix in (".h", ".cc", ".cu"))


def room_of(path):
    """`cuda/loss` for `cuda/loss/grid/pass.h`."""
    folder = path.rsplit("/", 1)[0]
    while "/" in folder and folder not in FLOOR_OF:
        folder = folder.rsplit("/", 1)[0]
    return folder


def includes():
    """(file, what it includes), both as paths from csrc."""
    for file in FILES:
        for included in re.findall(r'#include "([^"]+)"', file.read_text()):
            if (SOURCES / included).exists():
                yield str(file.relative_to(SOURCES)), included


def test_every_file_is_in_a_room():
    assert {room_of(str(file.relative_to(SOURCES))) for file in FILES} == FLOOR_OF.keys()


def test_nothing_includes_a_room_above_it():
    for file, included in includes():
        here, there = room_of(file), room_of(included)
        assert here == there or FLOOR_OF[there] < FLOOR_OF[here], f"{file} includes {included}"


@pytest.mark.parametrize(("room", "other"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_processors_do_not_know_each_other(room, other):
    assert not [
        pair for pair in includes() if pair[0].startswith(room) and pair[1].startswith(other)
    ]


def test_includes_are_full_paths():
    for file in FILES:
        for included in re.findall(r'#include "([^"]+)"', file.read_text()):
            beside = (file.parent / included).exists() and file.parent != SOURCES
            assert not beside or (SOURCES / included).exists(), f"{file}: {included}"
