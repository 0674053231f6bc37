"""What plan.h decides for a large group: compiled for the host, no GPU."""

import math
import subprocess

import numpy as np
import pytest
from emulation import COMPILER, HERE, SOURCES


@pytest.fixture(scope="module")
def grids(tmp_path_factory):
    """One large group's, by name, for all types and lengths."""
    program = tmp_path_factory.mktemp("plans") / "grids"
    sources = [HERE / "plans/grids.cc", SOURCES / "call/geometry.cc", SOURCES / "call/groups.cc"]
    subprocess.run([COMPILER, "-std=c++17", f"-I{SOURCES}", *sources, "-o", program], check=True)
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    names = ("element_bytes", "length", "warps", "segment", "fitting", "sample")
    return dict(zip(names, np.loadtxt(lines.splitlines()).T, strict=True))


def chance_of_more(mean, room):
    """That of elements in any order, `mean` on average, there are more than `room`: Poisson's."""
    counts = np.arange(room + 1, room + 400)
    return sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in counts)


@pytest.fixture(scope="module")
def most_in_a_warp(grids):
    """The elements of the warp that has most."""
    lanes = 16 / grids["element_bytes"]
    vectors = np.ceil(grids["length"] / lanes / grids["warps"] / 32)
    return vectors * lanes * 32


def test_candidates_are_likely_to_fit_every_warp(grids, most_in_a_warp):
    """Where they do not, the inputs are read twice more."""
    means = grids["fitting"] * most_in_a_warp
    for mean, warps, segment in zip(means, grids["warps"], grids["segment"], strict=True):
        assert mean > 0
        assert warps * chance_of_more(mean, segment) < 0.4


def test_the_bracket_fits_for_certain(grids, most_in_a_warp):
    """The order statistics are up to 3.5 deviations of the sample off, at the 99th percentile."""
    means = 2 * 3.5 * np.sqrt(0.99 * 0.01 / grids["sample"]) * most_in_a_warp
    for mean, warps, segment in zip(means, grids["warps"], grids["segment"], strict=True):
        assert warps * chance_of_more(mean, segment) < 1e-4
