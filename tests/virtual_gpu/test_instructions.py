"""What instructions do, against NumPy and Python's integers, at the ends of each type."""

import itertools

import numpy as np
import pytest
from assembler import run

BITS = {"u16": np.uint16, "s16": np.int16, "u32": np.uint32, "s32": np.int32}
BITS |= {"u64": np.uint64, "s64": np.int64, "b16": np.uint16, "b32": np.uint32, "b64": np.uint64}
REALS = {"f32": np.float32, "f64": np.float64}


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
    unsigned = np.array([value % (1 << bits) for value in values], f"uint{bits}")
    return unsigned.view(dtype)


def quotient(a, b):
    """Toward 0."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


ARITHMETIC = {
    "add": lambda a, b, _: a + b,
    "sub": lambda a, b, _: a - b,
    "mul.lo": lambda a, b, _: a * b,
    "mul.hi": lambda a, b, bits: (a * b) >> bits,
    "min": lambda a, b, _: min(a, b),
    "max": lambda a, b, _: max(a, b),
    "div": lambda a, b, _: quotient(a, b),
    "rem": lambda a, b, _: a - b * quotient(a, b),
}


@pytest.mark.parametrize("name", ["u16", "s16", "u32", "s32", "u64", "s64"])
@pytest.mark.parametrize("operation", ARITHMETIC)
def test_arithmetic_of_integers(operation, name):
    dtype = BITS[name]
    a, b = integers(dtype)
    if operation in ("div", "rem"):
        a, b = a[b != 0], b[b != 0]
    bits = 8 * a.itemsize
    expected = [ARITHMETIC[operation](int(x), int(y), bits) for x, y in zip(a, b, strict=True)]
    found = run(f"{operation}.{name} %out, %in0, %in1;", a, b, output=dtype)
    np.testing.assert_array_equal(found, wrapped(expected, dtype))


@pytest.mark.parametrize("name", ["u32", "s32"])
def test_wide_products(name):
    a, b = integers(BITS[name])
    wide = BITS[name.replace("32", "64")]
    expected = wrapped([int(x) * int(y) for x, y in zip(a, b, strict=True)], wide)
    found = run(f"mul.wide.{name} %out, %in0, %in1;", a, b, output=wide)
    np.testing.assert_array_equal(found, expected)
    found = run(f"mad.wide.{name} %out, %in0, %in1, 5;", a, b, output=wide)
    np.testing.assert_array_equal(found, expected + wide(5))


def test_sums_in_two_words():
    a, b = integers(np.uint64)
    body = """.reg .b32 %l, %h, %k, %m;
mov.b64 {%l, %h}, %in0;
mov.b64 {%k, %m}, %in1;
add.cc.u32 %l, %l, %k;
addc.u32 %h, %h, %m;
mov.b64 %out, {%l, %h};"""
    np.testing.assert_array_equal(run(body, a, b, output=np.uint64), a + b)


LOGIC = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}


@pytest.mark.parametrize("name", ["b16", "b32", "b64"])
def test_logic(name):
    a, b = integers(BITS[name])
    for operation, expected in LOGIC.items():
        found = run(f"{operation}.{name} %out, %in0, %in1;", a, b, output=a.dtype)
        np.testing.assert_array_equal(found, expected(a, b), operation)
    np.testing.assert_array_equal(run(f"not.{name} %out, %in0;", a, output=a.dtype), ~a)


@pytest.mark.parametrize("name", ["b16", "b32", "b64", "u32", "s32", "s64"])
def test_shifts_beyond_the_width(name):
    dtype = BITS[name]
    a = np.repeat(np.unique(integers(dtype)[0])[:15], 6)
    count = np.tile(np.array([0, 1, 15, 31, 63, 100], np.uint32), len(a) // 6)
    bits = 8 * a.itemsize
    right = [int(x) >> min(int(n), bits) for x, n in zip(a, count, strict=True)]
    found = run(f"shr.{name} %out, %in0, %in1;", a, count, output=dtype)
    np.testing.assert_array_equal(found, wrapped(right, dtype))
    if name[0] == "b":
        left = [int(x) << int(n) for x, n in zip(a, count, strict=True)]
        found = run(f"shl.{name} %out, %in0, %in1;", a, count, output=dtype)
        np.testing.assert_array_equal(found, wrapped(left, dtype))


@pytest.mark.parametrize("name", ["32", "64"])
def test_counts_and_positions_of_bits(name):
    a = integers(BITS["u" + name])[0]
    bits = int(name)
    texts = [format(int(x), f"0{bits}b") for x in a]
    out = np.uint32
    expected = {
        f"popc.b{name}": [text.count("1") for text in texts],
        f"clz.b{name}": [len(text) - len(text.lstrip("0")) for text in texts],
        f"bfind.u{name}": [int(x).bit_length() - 1 for x in a],
        f"bfind.shiftamt.u{name}": [bits - int(x).bit_length() if x else -1 for x in a],
    }
    for form, values in expected.items():
        found = run(f"{form} %out, %in0;", a, output=out)
        np.testing.assert_array_equal(found, wrapped(values, out), form)
    reversed_ = np.array([int(text[::-1], 2) for text in texts], a.dtype)
    found = run(f"brev.b{name} %out, %in0;", a, output=a.dtype)
    np.testing.assert_array_equal(found, reversed_)


def test_permutations_and_funnels():
    a, b = integers(np.uint32)
    both = [int(y) << 32 | int(x) for x, y in zip(a, b, strict=True)]
    found = run("prmt.b32 %out, %in0, %in1, 0x7610;", a, b, output=np.uint32)
    expected = [sum((v >> 8 * n & 255) << 8 * i for i, n in enumerate((0, 1, 6, 7))) for v in both]
    np.testing.assert_array_equal(found, np.array(expected, np.uint32))
    found = run("shf.r.wrap.b32 %out, %in0, %in1, 13;", a, b, output=np.uint32)
    np.testing.assert_array_equal(found, wrapped([v >> 13 for v in both], np.uint32))
    found = run("lop3.b32 %out, %in0, %in1, 0, 0x3c;", a, b, output=np.uint32)
    np.testing.assert_array_equal(found, a ^ b)


def reals(dtype):
    info = np.finfo(dtype)
    some = [0.0, -0.0, 1.0, -1.5, info.max, -info.max, info.tiny, info.smallest_subnormal]
    some += [np.inf, -np.inf, np.nan, 1 / 3, -1e-3, 7e5]
    return np.array(list(itertools.product(some, some)), dtype).T


FLOATING = {
    "add.rn": np.add,
    "sub.rn": np.subtract,
    "mul.rn": np.multiply,
    "div.rn": np.divide,
    "min": np.fmin,
    "max": np.fmax,
}


@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize("operation", FLOATING)
def test_arithmetic_of_floats(operation, name):
    a, b = reals(REALS[name])
    with np.errstate(all="ignore"):
        expected = FLOATING[operation](a, b)
    found = run(f"{operation}.{name} %out, %in0, %in1;", a, b, output=a.dtype)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", REALS)
def test_functions_of_floats(name):
    a, b = reals(REALS[name])
    with np.errstate(all="ignore"):
        expected = {
            f"sqrt.rn.{name} %out, %in0;": np.sqrt(a),
            f"rcp.rn.{name} %out, %in0;": a.dtype.type(1) / a,
            f"abs.{name} %out, %in0;": np.abs(a),
            f"neg.{name} %out, %in0;": -a,
            f"copysign.{name} %out, %in0, %in1;": np.copysign(b, a),
        }
    for body, values in expected.items():
        np.testing.assert_array_equal(run(body, a, b, output=a.dtype), values, body)


@pytest.mark.parametrize(
    ("rounding", "toward"), [("rm", -np.inf), ("rp", np.inf), ("rz", 0.0), ("rn", None)]
)
def test_rounding_in_each_direction(rounding, toward):
    a, b = np.random.default_rng(0).standard_normal((2, 500)).astype(np.float32)
    exact = a.astype(np.float64) * b
    nearest = exact.astype(np.float32)
    expected = nearest
    if toward is not None:
        goal = np.copysign(0, exact) if toward == 0 else np.full_like(exact, toward)
        beyond = np.where(toward == 0, np.abs(nearest) > np.abs(exact), nearest > exact)
        beyond = nearest < exact if toward == np.inf else beyond
        expected = np.where(beyond, np.nextafter(nearest, goal.astype(np.float32)), nearest)
    found = run(f"mul.{rounding}.f32 %out, %in0, %in1;", a, b, output=np.float32)
    np.testing.assert_array_equal(found, expected)


COMPARISONS = {"eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater}


@pytest.mark.parametrize("name", ["u32", "s32", "s64", "f32", "f64"])
def test_comparisons(name):
    of_reals = name in REALS
    a, b = reals(REALS[name]) if of_reals else integers(BITS[name])
    unordered = np.isnan(a) | np.isnan(b) if of_reals else np.zeros(len(a), bool)
    forms = {form: compare(a, b) for form, compare in COMPARISONS.items()}
    forms["ne"] = ~unordered & (a != b)
    if of_reals:
        forms |= {"equ": unordered | (a == b), "neu": a != b, "num": ~unordered, "nan": unordered}
    for form, expected in forms.items():
        body = f"setp.{form}.{name} %p|%q, %in0, %in1;\nselp.u32 %out, 1, 0, %p;"
        found = run(body, a, b, output=np.uint32)
        np.testing.assert_array_equal(found, expected, form)


def test_float_to_integer():
    """Saturates; NaN is 0 where neither side has 64 bits."""
    a = reals(np.float32)[0]
    found = run("cvt.rzi.s32.f32 %out, %in0;", a, output=np.int32)
    limits = np.iinfo(np.int32)
    expected = np.trunc(np.clip(np.nan_to_num(a.astype(np.float64)), limits.min, limits.max))
    np.testing.assert_array_equal(found, expected.astype(np.int64))
    found = run("cvt.rni.u32.f32 %out, %in0;", np.float32([0.5, 1.5, 2.5, -3]), output=np.uint32)
    np.testing.assert_array_equal(found, [0, 2, 2, 0])


def test_conversions_of_floats():
    a = reals(np.float64)[0]
    with np.errstate(over="ignore"):
        expected = a.astype(np.float32)
    np.testing.assert_array_equal(run("cvt.rn.f32.f64 %out, %in0;", a, output=np.float32), expected)
    single = np.random.default_rng(0).standard_normal(700).astype(np.float32)
    halves = run("cvt.rn.f16.f32 %out, %in0;", single, output=np.float16)
    np.testing.assert_array_equal(halves, single.astype(np.float16))
    floors = run("cvt.rmi.f32.f32 %out, %in0;", single * 9, output=np.float32)
    np.testing.assert_array_equal(floors, np.floor(single * 9))


@pytest.mark.parametrize("body", ["frobnicate.u32 %out, %in0;", "add.sideways.u32 %out, %in0, 1;"])
def test_an_unknown_form_is_named(body):
    import virtual_gpu

    with pytest.raises(Exception, match="CUDA_ERROR"):
        run(body, np.zeros(1, np.uint32), output=np.uint32)
    complaints = " ".join(virtual_gpu.take_complaints())
    assert body.split()[0] in complaints
    virtual_gpu.recover()
