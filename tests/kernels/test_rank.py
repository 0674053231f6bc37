"""Ranks are computed in float64 or integers: right at sizes that no test could allocate."""

from fractions import Fraction

import numpy as np
import pytest
from rank_oracle import places

from tailops import _kernels
from tailops._options import RANK_RULES, TailOptions

SIZES = [1, 2, 3, 10, 99, 100, 101, 200, 10**7, 16_777_217, 10**9, 2**31 + 1, 10**12 + 7]
PERCENTILES = [1e-9, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0]


def rank(method, n, p):
    return _kernels.rank(TailOptions(method=method, percentile=p).for_kernels(), n)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("p", PERCENTILES)
def test_floor_is_python_arithmetic(n, p):
    assert rank("floor", n, p) == (min(int(n * p), n - 1), 0.0, 1.0)


def test_floor_differs_from_float32():
    n = 10_000_003
    in_float32 = int(np.floor(np.float32(n) * np.float32(0.99)))
    assert rank("floor", n, 0.99)[0] == 9_900_002 != in_float32
    assert rank("floor", 200, 0.95)[0] == 190 != int(200 * float(np.float32(0.95)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("p", PERCENTILES)
def test_numpy_rules_on_the_float64_rank(n, p):
    exact = Fraction(p * (n - 1))
    below = exact.numerator // exact.denominator
    rest = exact - below
    assert rank("lower", n, p) == (below, 0.0, 1.0)
    assert rank("higher", n, p) == (below + (rest > 0), 0.0, 1.0)
    assert rank("nearest", n, p) == (round(exact), 0.0, 1.0)
    assert rank("midpoint", n, p) == (below, 0.5 if rest else 0.0, 1.0)
    assert rank("linear", n, p) == (below, float(rest), 1.0)


@pytest.mark.parametrize("method", RANK_RULES)
def test_every_rule_is_numpys(method):
    """At every n, also where n·p is rounded to a whole number that it is not, and to none."""
    for n in (*range(1, 71), 99, 100, 101, 1000, 4097, 10_001):
        percentiles = [*PERCENTILES, *(np.arange(1, 20) / 20), 1 / 3, 2 / 3, 1 / n, (n - 0.5) / n]
        below, weight = places(method, n, percentiles)
        for p, expected in zip(percentiles, zip(below, weight, strict=True), strict=True):
            assert rank(method, n, p)[:2] == expected, (n, p)


@pytest.mark.parametrize("p", PERCENTILES)
@pytest.mark.parametrize("n", SIZES)
def test_rules_by_the_distribution_function(n, p):
    """NumPy's operations in float64, at sizes that NumPy would have to allocate."""
    position = n * p - 1
    whole = position == int(np.floor(position))
    expected = min(max(int(np.ceil(position)), 0), n - 1)
    assert rank("inverted_cdf", n, p) == (expected, 0.0, 1.0)
    between = whole and 0 <= position < n - 1
    assert rank("averaged_inverted_cdf", n, p) == (expected, 0.5 if between else 0.0, 1.0)
    position -= 0.5
    below = int(np.floor(position))
    nearest = below if below == position and below % 2 == 1 else below + 1
    assert rank("closest_observation", n, p) == (min(max(nearest, 0), n - 1), 0.0, 1.0)


def test_nearest_rounds_half_to_even():
    assert [rank("nearest", n, 0.5)[0] for n in (2, 4, 6, 8)] == [0, 2, 2, 4]


@pytest.mark.parametrize("n", SIZES)
def test_max_fraction_is_the_largest(n):
    assert rank("max_fraction", n, 0.25) == (n - 1, 0.0, 0.25)
