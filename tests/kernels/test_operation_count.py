"""The cost grows linearly: nothing sorts.

Counted, not timed: the kernels' own sources, compiled so that every basic block they execute is
counted. From n to 10·n elements a sort's count grows by 10 · log(10·n)/log(n), 12 at n = 1e5.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import sources

pytestmark = pytest.mark.extended

HERE = Path(__file__).parent
COMPILER = shutil.which(os.environ.get("CXX", "g++"))


@pytest.fixture(scope="module")
def count(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("operation_count")
    common = [COMPILER, "-std=c++17", "-O1", "-ffp-contract=off", f"-I{sources.SOURCES}", "-c"]
    counted = ["-fsanitize-coverage=trace-pc"]
    objects = []
    kernels = sources.of_the_cpu()
    for number, source in enumerate([*kernels, HERE / "operation_count/count.cc"]):
        objects.append(folder / f"{number}.o")  # files of two rooms may have one name
        flags = counted if source in kernels else []
        subprocess.run([*common, *flags, source, "-o", objects[-1]], check=True)
    program = folder / "count"
    subprocess.run([COMPILER, *objects, "-o", program], check=True)

    # The program has one instruction set, whatever the tests run with.
    environment = {k: v for k, v in os.environ.items() if k != "TAILOPS_INSTRUCTION_SET"}

    def run(family, *sizes):
        printed = subprocess.run(
            [program, family, *map(str, sizes)],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        ).stdout
        return [tuple(map(int, line.split()[1:])) for line in printed.splitlines()]

    return run


@pytest.mark.parametrize("family", ["random", "constant", "sorted", "few_values"])
def test_cost_is_linear(count, family):
    small, large = count(family, 100_000, 1_000_000)
    for name, few, many in zip(("forward", "backward"), small, large, strict=True):
        assert 3.0 < many / few < 10.3, name
        assert many / 1_000_000 < 30, f"{name}: blocks per element"


def test_adversarial_data_costs_what_random_data_costs(count):
    (random, _), *others = (
        count(family, 1_000_000)[0] for family in ("random", "constant", "sorted", "few_values")
    )
    for forward, _ in others:
        assert forward < 2 * random
