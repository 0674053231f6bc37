"""Whether what is planned for a large group is likely to be enough."""

import math

import numpy as np
import pytest
from emulation import COMPILER
from planned import Call

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")

LENGTHS = [2**k for k in range(15, 31)]
DTYPES = {"float16": 2, "float32": 4, "float64": 8}


@pytest.fixture(scope="module")
def grids(plans):
    """One large group's, by name, for all types and lengths."""
    calls = [Call((n,), dtype=dtype) for dtype in DTYPES for n in LENGTHS]
    made = plans("forward", *calls)
    names = ("warps", "segment", "fitting", "sample")
    columns = {name: np.array([plan.number(name) for plan in made]) for name in names}
    columns["length"] = np.array([call.shape[0] for call in calls])
    columns["element_bytes"] = np.array([DTYPES[call.dtype] for call in calls])
    return columns


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
