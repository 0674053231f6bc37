"""Sums by parts are the exact sums, rounded once, whatever the exponents."""

import math
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sources import SOURCES

HERE = Path(__file__).parent
COMPILER = shutil.which(os.environ.get("CXX", "g++"))


@pytest.fixture(scope="module")
def add(tmp_path_factory):
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    program = tmp_path_factory.mktemp("parts") / "add"
    flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", f"-I{SOURCES}"]
    flags += ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run([COMPILER, *flags, HERE / "parts/add.cc", "-o", program], check=True)

    def run(lines):
        done = subprocess.run(
            [program], input="\n".join(lines), capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return run


def exact(numbers):
    """As IEEE rounds it: Python divides integers so."""
    total = sum(map(Fraction, numbers))
    try:
        return total.numerator / total.denominator
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def check(add, problems):
    found = add([" ".join(float(x).hex() for x in numbers) for numbers in problems])
    assert len(found) == len(problems)
    for numbers, text in zip(problems, found, strict=True):
        assert float.fromhex(text) == exact(numbers), numbers


def test_one_number_is_itself(add):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, 3000, dtype=np.uint64)
    numbers = bits.view(np.float64)
    check(add, [[x] for x in numbers[np.isfinite(numbers)]])
    edges = [0.0, 5e-324, 2.0**-1022, 2.0**-1022 - 5e-324, np.finfo(float).max, 1.0]
    check(add, [[sign * x] for x in edges for sign in (1, -1)])


@pytest.mark.parametrize("spread", [1, 60, 300, 1000])
def test_sums(add, spread):
    rng = np.random.default_rng(spread)
    problems = []
    for _ in range(400):
        n = rng.integers(2, 40)
        numbers = np.ldexp(rng.standard_normal(n), rng.integers(-spread, spread, n))
        problems.append(numbers)
        problems.append([*numbers, *-numbers[::-1], numbers[0]])  # all but one cancel
    check(add, problems)


def test_ties_are_rounded_to_even(add):
    ulp = 2.0**-52
    problems = [
        [1.0, ulp / 2],
        [1.0 + ulp, ulp / 2],
        [1.0, ulp / 2, 5e-324],
        [1.0, ulp / 2, -5e-324],
    ]
    check(add, problems + [[-x for x in numbers] for numbers in problems])


def test_as_many_as_there_may_be(add):
    largest, number = np.finfo(float).max, 0.1
    check(add, [[number] * 32768, [largest, largest], [largest, largest, -largest], [-1.0] * 32768])


def test_what_is_not_finite(add):
    lines = ["inf 0x1p0", "-inf 0x1p0", "inf -inf", "nan 0x1p0", "inf inf"]
    expected = [np.inf, -np.inf, np.nan, np.nan, np.inf]
    np.testing.assert_array_equal([float(text) for text in add(lines)], expected)


def test_counts(add):
    problems = [[0], [65535] * 3, [2**31 + 12345] * 5, [1, 65536, 2**40]]
    lines = ["count " + " ".join(map(str, counts)) for counts in problems]
    assert list(map(int, add(lines))) == [sum(counts) for counts in problems]
    many = ["count " + " ".join(["65535"] * 32768)]
    assert add(many) == [str(65535 * 32768)]
