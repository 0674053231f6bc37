"""Data that makes selections fail: each family returns n residuals in the dtype asked for."""

import ml_dtypes
import numpy as np


def _random(n, rng):
    return rng.standard_normal(n)


def _two_values(n, rng):
    return rng.choice([0.25, 0.75], n)


def _few_values(n, rng):
    return rng.integers(-3, 4, n) / 4


def _tied_at_the_top(n, rng):
    values = rng.uniform(-0.5, 0.5, n)
    values[rng.permutation(n)[: max(1, n // 20)]] = 1.5
    return values


def _tied_in_the_tail(n, rng):
    values = rng.uniform(0.0, 1.0, n)
    return np.where(np.abs(values - 0.875) < 0.0092, 0.875, values)


def _one_exponent(n, rng):
    return rng.uniform(1.0, 2.0, n)


def _heavy_tail(n, rng):
    return rng.standard_cauchy(n)


def _half_zeros(n, rng):
    return np.where(rng.random(n) < 0.5, 0.0, rng.standard_normal(n))


FAMILIES = {
    "random": _random,
    "constant": lambda n, _: np.full(n, 0.3),
    "zeros": lambda n, _: np.zeros(n),
    "two_values": _two_values,
    "few_values": _few_values,
    "sorted": lambda n, rng: np.sort(np.abs(rng.standard_normal(n))),
    "reversed": lambda n, rng: np.sort(np.abs(rng.standard_normal(n)))[::-1],
    "tied_at_the_top": _tied_at_the_top,
    "tied_in_the_tail": _tied_in_the_tail,
    "one_exponent": _one_exponent,
    "heavy_tail": _heavy_tail,
    "half_zeros": _half_zeros,
}


def _far_apart(n, rng, dtype):
    """Nearly all is small, and a little more than a hundredth near the type's largest number."""
    values = rng.uniform(0.125, 0.13, n)
    large = rng.permutation(n)[: int(np.ceil(0.012 * n))]
    values[large] = rng.uniform(0.56, 0.95, large.size) * float(ml_dtypes.finfo(dtype).max)
    return values


def _every_key(n, rng, dtype):
    """Bit patterns of finite numbers, each as likely as any other."""
    dtype = np.dtype(dtype)
    infinity = np.array([np.inf], dtype).view(f"u{dtype.itemsize}")[0]
    magnitudes = rng.integers(0, infinity, n, infinity.dtype).view(dtype)
    return np.where(rng.random(n) < 0.5, -magnitudes, magnitudes)


def _both_ends(n, rng, dtype):
    """The smallest numbers of the type and its largest, and none between."""
    info = ml_dtypes.finfo(dtype)
    smallest = rng.integers(0, 50, n) * float(info.smallest_subnormal)
    largest = rng.uniform(0.9, 1.0, n) * float(info.max)
    return np.where(rng.random(n) < 0.5, smallest, largest)


# Values that are numbers but not nice ones. Not for gradients: most are zero or infinite.
EXTREME_FAMILIES = {
    "subnormal": lambda n, rng, dtype: (
        rng.integers(-50, 50, n) * ml_dtypes.finfo(dtype).smallest_subnormal
    ),
    "infinite": lambda n, rng, dtype: np.where(  # noqa: ARG005
        rng.random(n) < 0.3, rng.choice([-np.inf, np.inf], n), rng.standard_normal(n)
    ),
    "huge": lambda n, rng, dtype: rng.uniform(-1, 1, n) * (0.9 * float(ml_dtypes.finfo(dtype).max)),
    "mixed_scales": lambda n, rng, dtype: (
        rng.choice([-1, 1], n)
        * np.exp2(rng.uniform(ml_dtypes.finfo(dtype).minexp, ml_dtypes.finfo(dtype).maxexp - 1, n))
    ),
    "far_apart": _far_apart,
    "every_key": _every_key,
    "both_ends": _both_ends,
}

# Up to the type's largest number: what is larger than these is infinite.
LARGE_FAMILIES = ("huge", "far_apart", "every_key", "both_ends")


def residuals(name, n, dtype, seed=0):
    rng = np.random.default_rng([seed, n, sum(map(ord, name))])
    with np.errstate(over="ignore"):
        if name in EXTREME_FAMILIES:
            return np.asarray(EXTREME_FAMILIES[name](n, rng, dtype)).astype(dtype)
        return np.ascontiguousarray(FAMILIES[name](n, rng)).astype(dtype)


def sampled_positions(n):
    """Where the selection of a row looks before its pass: at an element in each of some strata."""
    m = int(np.clip(int(n ** (2 / 3)), 256, 4096))  # of up to four million
    mask = 2**64 - 1
    positions = []
    for i in range(m):
        z = ((i + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        positions.append(int((i + ((z ^ (z >> 31)) >> 11) * 2.0**-53) * (n / m)))
    return positions
