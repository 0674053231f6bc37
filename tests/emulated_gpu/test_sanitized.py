"""The emulated CUDA kernels under the address and undefined-behaviour sanitizers.

Shared memory and workspace have exactly the size that was asked for: an access beyond is an error.
"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import emulation
import pytest
from emulated_range_means import EmulatedRangeMeans
from emulated_selection import EmulatedSelection
from emulation import Emulation

HERE = Path(__file__).parent
FLAGS = ["-DTAILOPS_TWO_TYPES", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
PROBLEMS = """
    import sys
    import numpy as np
    from emulation import LIMITS_OF_A_LARGE_GPU, Emulation, Limits
    from problems import random_problem
    from test_emulated_kernels import check_emulated

    emulated = Emulation(sys.argv[1])
    for seed in range(1000, 1000 + int(sys.argv[2])):
        rng = np.random.default_rng(seed)
        emulated.limits = Limits(
            block_elements=int(rng.choice([1, 64, 600])),
            short_elements=int(rng.choice([0, 20, 200, 1024])),
            shared_bytes=int(rng.choice([0, 3000, 16 << 10, 64 << 10])),
            spare_bytes=int(rng.choice([0, 512])),
        )
        most = 900
        if seed % 3 == 0:
            emulated.limits, most = LIMITS_OF_A_LARGE_GPU, 60_000
        problem = random_problem(rng, most=most, dtypes=("float32", "float16"))
        check_emulated(emulated, problem, seed, tuple(int(k) for k in rng.integers(0, 4, 3)))
    print("no problem")
"""
# Of a class, its module, what makes its cases and what checks them; and two types.
CASES = """
    import sys
    import numpy as np
    from {module} import {emulated}
    from emulated_shapes import random_shape
    from emulation import LIMITS_OF_A_LARGE_GPU, Limits
    from {cases} as random_case
    from {check} as check_emulated

    emulated = {emulated}(sys.argv[1])
    for seed in range(1000, 1000 + int(sys.argv[2])):
        rng = np.random.default_rng(seed)
        emulated.limits = Limits(
            block_elements=int(rng.choice([1, 64, 600])),
            shared_bytes=int(rng.choice([0, 3000, 16 << 10])),
        )
        most = 900
        if seed % 10 == 0:
            emulated.limits, most = LIMITS_OF_A_LARGE_GPU, 20_000
        case = random_case(rng, random_shape(rng, most), dtypes={dtypes})
        check_emulated(emulated, case, seed=seed, offset=int(rng.integers(0, 4)))
    print("no problem")
"""
SELECTIONS = CASES.format(
    module="emulated_selection",
    emulated="EmulatedSelection",
    cases="selections import random_case",
    check="test_emulated_selection import check_emulated",
    dtypes=("float32", "int8"),
)
WEIGHTED_SELECTIONS = CASES.format(
    module="emulated_selection",
    emulated="EmulatedSelection",
    cases="weighted import random_selection",
    check="test_emulated_weights import check_selected",
    dtypes=("float32", "int8"),
)
RANGE_MEANS = CASES.format(
    module="emulated_range_means",
    emulated="EmulatedRangeMeans",
    cases="range_means import random_case",
    check="test_emulated_range_means import check_emulated",
    dtypes=("float32", "float16"),
)
WEIGHTED_RANGE_MEANS = CASES.format(
    module="emulated_range_means",
    emulated="EmulatedRangeMeans",
    cases="weighted import random_range",
    check="test_emulated_weights import check_averaged",
    dtypes=("float32", "float16"),
)


def runtime(name):
    """The sanitizer's library, which has to be loaded before Python's own."""
    asked = [emulation.COMPILER, f"-print-file-name={name}"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.extended
@pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")
@pytest.mark.parametrize(
    ("compiled", "programs"),
    [
        (Emulation, {PROBLEMS: 60}),
        # With weights groups of any size go by digits, whose launches take an emulation long.
        (EmulatedSelection, {SELECTIONS: 60, WEIGHTED_SELECTIONS: 6}),
        (EmulatedRangeMeans, {RANGE_MEANS: 60, WEIGHTED_RANGE_MEANS: 12}),
    ],
)
def test_random_problems(tmp_path, compiled, programs):
    if not Path(runtime("libasan.so")).is_absolute():
        pytest.skip("the compiler has no address sanitizer")
    library = compiled.compile(tmp_path, *FLAGS)
    for program, problems in programs.items():
        check(program, library, problems)


def check(program, library, problems):
    """So many random problems, which the sanitizers must not complain of."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), library, str(problems)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONPATH": f"{HERE}:{HERE.parent}",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "no problem" in done.stdout
