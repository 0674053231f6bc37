"""The CUDA kernels for shares of a union, run on the host, against the kernels of one device."""

import emulation
import numpy as np
import pytest
from emulation import LIMITS_OF_A_LARGE_GPU, EmulatedUnions, random_limits
from problems import Problem, check_against_cpu, of_values, random_problem, with_residuals

from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


@pytest.fixture(scope="session")
def union_library(tmp_path_factory):
    return EmulatedUnions.compile(tmp_path_factory.mktemp("unions"))


@pytest.fixture
def unions(union_library):
    return EmulatedUnions(union_library)


def check_union(unions, problem, seed, cut, offsets=(0, 0, 0)):
    unions.seed, unions.cut = seed, cut
    check_against_cpu(problem, *unions.passes(problem, offsets))


@pytest.mark.parametrize("part", range(4))
def test_random_problems(unions, part):
    """Of groups that span the first axis, or all."""
    for seed in range(part * 30, part * 30 + 30):
        rng = np.random.default_rng([seed, 2])
        unions.limits = LIMITS_OF_A_LARGE_GPU if seed % 7 == 0 else random_limits(rng)
        p = random_problem(rng)
        if p.y_pred.size == 1:  # one output, of which a state has the slope
            continue
        axis = None if p.options.axis is None else 0
        options = TailOptions(**{**p.options.get_config(), "axis": axis})
        p = Problem(p.y_true, p.y_pred, options, "none", p.mask)
        p = of_values(p) if rng.random() < 0.3 else p
        if rng.random() < 0.1:
            p.y_pred.flat[rng.integers(p.y_pred.size)] = rng.choice([np.nan, -np.nan])
        cut = int(rng.integers(0, p.y_pred.shape[0] + 1))
        check_union(unions, p, seed, cut, tuple(int(k) for k in rng.integers(0, 4, 3)))


@pytest.mark.parametrize("axis", [None, 0])
def test_every_small_size(unions, axis):
    rng = np.random.default_rng(0)
    for n in range(1, 71):
        pair = with_residuals("few_values", (n, 2), np.dtype("float32"))
        options = TailOptions(0.8, 5.0, method="linear", axis=axis)
        check_union(unions, Problem(*pair, options, "none"), n, int(rng.integers(0, n + 1)))
