"""What instructions have to give, by Python's integers and fractions, which are exact."""

import itertools
import math
from fractions import Fraction

import ml_dtypes
import numpy as np

INTEGERS = {
    f"{kind}{bits}": np.dtype(f"{name}{bits}").type
    for bits in (8, 16, 32, 64)
    for kind, name in (("u", "uint"), ("s", "int"), ("b", "uint"))
}
FLOATS = {
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "f32": np.float32,
    "f64": np.float64,
}
# Of each its digits in base 2, and the least and the highest exponent of a normal number.
SHAPES = {"f16": (11, -14, 15), "bf16": (8, -126, 127)}
SHAPES |= {"f32": (24, -126, 127), "f64": (53, -1022, 1023)}

# To an integer; `round` takes the even one of two that are as near.
ROUNDINGS = {"rn": round, "rz": math.trunc, "rm": math.floor, "rp": math.ceil}


def integers(dtype):
    """Pairs of the ends of the type, of what is near 0, and of anything."""
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    anything = rng.integers(limits.min, limits.max, 8, dtype, endpoint=True)
    some = [limits.min, limits.min + 1, 0, 1, 2, 7, limits.max - 1, limits.max, *anything]
    if limits.min < 0:
        some += [-1, -2]
    return np.array(list(itertools.product(some, some)), dtype).T


def wrapped(values, dtype):
    """Python's integers as the type's, modulo what it has room for."""
    bits = 8 * np.dtype(dtype).itemsize
    unsigned = np.array([int(value) % (1 << bits) for value in values], f"uint{bits}")
    return unsigned.view(dtype)


def clamped(value, dtype):
    limits = np.iinfo(dtype)
    return min(max(value, int(limits.min)), int(limits.max))


def some_reals(name, count=32):
    """Numbers of a format: what is special in it, and any bits at all."""
    digits, least, most = SHAPES[name]
    dtype = FLOATS[name]
    largest, normal = (2 - 2.0 ** (1 - digits)) * 2.0**most, 2.0**least
    one_more, below = 1 + 2.0 ** (1 - digits), 1 - 2.0**-digits
    some = [0.0, 1.0, one_more, below, largest, normal, normal * 2.0 ** (1 - digits)]
    some += [normal * 0.75, 1.5, 2.5, 1 / 3, math.inf]
    some = [*some, *(-x for x in some), math.nan]
    with np.errstate(all="ignore"):
        some = np.array(some).astype(dtype)
    bits = np.dtype(dtype).itemsize * 8
    rng = np.random.default_rng(len(name))
    anything = rng.integers(0, 1 << bits, count - len(some), f"uint{bits}").view(dtype)
    return np.concatenate([some, anything])


def pairs(values):
    """Each with each: 1,024 of 32."""
    return np.repeat(values, len(values)), np.tile(values, len(values))


def rounded(x, name, rounding="rn"):
    """A fraction as a number of the format, rounded once; beyond its range infinite or the largest.

    An exact 0 is +0: which one it has to be is the caller's.
    """
    digits, least, most = SHAPES[name]
    if x == 0:
        return 0.0
    size = abs(x)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent = max(exponent - (size < Fraction(2) ** exponent), least)
    unit = Fraction(2) ** (exponent - digits + 1)
    value = ROUNDINGS[rounding](x / unit) * unit
    largest = (2 - Fraction(2) ** (1 - digits)) * 2**most
    if abs(value) > largest:
        stays = rounding == "rz" or rounding == ("rp" if x < 0 else "rm")
        return math.copysign(float(largest) if stays else math.inf, x)
    return math.copysign(float(value), x)


def fused(a, b, c, name, rounding="rn"):
    """A product and a sum, a b + c, rounded once; Python's own where nothing has to be rounded."""
    if all(map(math.isfinite, (a, b, c))):
        exact = Fraction(a) * Fraction(b) + Fraction(c)
        if exact != 0:
            return rounded(exact, name, rounding)
        negative_product = math.copysign(1, a) * math.copysign(1, b) < 0
        if negative_product == (math.copysign(1, c) < 0) and (a == 0 or b == 0):
            return c
        return -0.0 if rounding == "rm" else 0.0
    if math.isinf(c) and all(map(math.isfinite, (a, b))):
        return c
    return a * b + c  # Infinite or not a number, whatever is rounded.


def assert_same(found, expected, message=""):
    """Bit by bit, but for NaN, of which there are many."""
    expected = np.asarray(expected)
    if expected.dtype != found.dtype:
        with np.errstate(all="ignore"):
            expected = expected.astype(found.dtype)
    if found.dtype.kind in "iu":
        np.testing.assert_array_equal(found, expected, message)
        return
    is_nan = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), is_nan, message)
    bits = f"uint{8 * found.dtype.itemsize}"
    np.testing.assert_array_equal(
        np.ascontiguousarray(found[~is_nan]).view(bits),
        np.ascontiguousarray(expected[~is_nan]).view(bits),
        message,
    )
