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
    sign, size = (-1 if x < 0 else 1), abs(x)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent = max(exponent - (size < Fraction(2) ** exponent), least)
    unit = Fraction(2) ** (exponent - digits + 1)
    value = ROUNDINGS[rounding](x / unit) * unit
    largest = (2 - Fraction(2) ** (1 - digits)) * 2**most
    if abs(value) > largest:
        stays = rounding == "rz" or rounding == ("rp" if x < 0 else "rm")
        return sign * (float(largest) if stays else math.inf)
    return math.copysign(float(value), sign)


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


def product(a, b, name, rounding="rn"):
    """Its sum with a zero of its own sign, which changes nothing."""
    zero = math.copysign(0.0, math.copysign(1, a) * math.copysign(1, b))
    return fused(a, b, zero, name, rounding)


def quotient(a, b, name, rounding="rn"):
    sign = math.copysign(1, a) * math.copysign(1, b)
    if math.isnan(a) or math.isnan(b) or (a == 0 and b == 0) or (math.isinf(a) and math.isinf(b)):
        return math.nan
    if a == 0 or math.isinf(b):
        return math.copysign(0.0, sign)
    if b == 0 or math.isinf(a):
        return math.copysign(math.inf, sign)
    return rounded(Fraction(a) / Fraction(b), name, rounding)


def root(x, name, rounding="rn"):
    """The square root: enough digits of it, and one more that says whether there are others."""
    if x == 0 or x == math.inf:
        return x
    if not x > 0:
        return math.nan
    scale = 700
    square = Fraction(x) * (1 << 2 * scale)
    digits = math.isqrt(int(square))
    return rounded(Fraction(2 * digits + (digits**2 != square), 2 << scale), name, rounding)


def each(function, name, *operands):
    """A function of Python's floats, of all elements of the arrays; an array of the format."""
    with np.errstate(all="ignore"):
        values = list(map(function, *(x.astype(float).tolist() for x in operands)))
        return np.array(values).astype(FLOATS[name])


def smaller(a, b):
    """A number before NaN, −0 before +0."""
    if math.isnan(a) or math.isnan(b):
        return b if math.isnan(a) else a
    return min((a, b), key=lambda x: (x, math.copysign(1, x)))


def larger(a, b):
    return -smaller(-a, -b)


def any_nan(function):
    return lambda a, b: math.nan if math.isnan(a) or math.isnan(b) else function(a, b)


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
