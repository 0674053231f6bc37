"""Keys over the whole range of their type: where a sum of two of them is beyond the largest."""

import subprocess

import emulation
import numpy as np
import pytest
from emulation import LIMITS_OF_A_LARGE_GPU, Limits, random_limits
from families import EXTREME_FAMILIES
from problems import IGNORED_VALUE, Problem, assert_same_state, extreme, random_problem

from tailops import kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


def assert_states_are_those_of_the_cpu(emulated, problem):
    p, what = problem, f"{problem} seed {emulated.seed}"
    state = emulated.forward(p).state
    how = {"reduction": p.reduction, "mask": p.mask}
    on_cpu = kernels.forward(p.y_true, p.y_pred, p.options, **how).state
    assert_same_state(state, on_cpu, what)


def test_searches_by_digits(tmp_path):
    """From every range whose ends are near a power of two, or near the type's ends."""
    program = tmp_path / "seeks"
    flags = ["-std=c++17", "-O1", "-DTAILOPS_EMULATED", "-I", emulation.SOURCES]
    sources = ["-I", emulation.HERE / "emulation", emulation.HERE / "emulation/seeks.cc"]
    subprocess.run([emulation.COMPILER, *flags, *sources, "-o", program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert printed == "277968 searches\n"


@pytest.mark.parametrize("limits", [Limits(), LIMITS_OF_A_LARGE_GPU])
@pytest.mark.parametrize(
    "largest",
    [lambda rng, n: rng.uniform(1e308, 1.7e308, n), lambda _, n: np.full(n, np.inf)],
    ids=["finite", "infinite"],
)
def test_few_numbers_near_the_largest(emulated, limits, largest):
    """Sought among them, and below them: the sample's keys, and the bracket's, span the range."""
    emulated.limits = limits
    rng = np.random.default_rng(0)
    n, large = 50_000, 600
    d = rng.uniform(0.125, 0.13, n)
    d[rng.permutation(n)[:large]] = largest(rng, large)
    for percentile in (0.5, 0.98, 0.99):
        problem = Problem(np.zeros_like(d), d, TailOptions(percentile))
        threshold = emulated.forward(problem).state["threshold"]
        assert threshold == np.sort(d)[int(n * percentile)]


@pytest.mark.parametrize("part", range(4))
def test_random_problems(emulated, part):
    """Every option and shape, at random: thresholds, and what else of the state is exact."""
    for emulated.seed in range(part * 50, part * 50 + 50):
        rng = np.random.default_rng(emulated.seed)
        emulated.limits = random_limits(rng)
        problem = random_problem(rng)
        family = str(rng.choice([*EXTREME_FAMILIES]))
        shape, dtype = problem.y_pred.shape, problem.y_pred.dtype
        problem.y_pred = extreme(family, problem.y_pred.size, dtype).reshape(shape)
        problem.y_true = np.where(problem.y_true == IGNORED_VALUE, problem.y_true, dtype.type(0))
        assert_states_are_those_of_the_cpu(emulated, problem)
