"""cvt between any two types that it knows, and mov, of whole numbers and of their parts."""

import math
from fractions import Fraction

import numpy as np
import pytest
from assembler import NEWER, assert_refused, run
from cuda_driver import HEADER
from references import (
    FLOATS,
    INTEGERS,
    ROUNDINGS,
    assert_same,
    clamped,
    integers,
    rounded,
    some_reals,
    wrapped,
)

NUMBERS = [name for name in INTEGERS if name[0] != "b"]
DIRECTIONS = [*ROUNDINGS]


def header_of(*names):
    """Of bfloat16 sm_80 has what becomes float32 or was it."""
    return NEWER if "bf16" in names else HEADER


def wide(name):
    """What a register of 64 bits has of an integer: its sign reaches as far."""
    return np.int64 if name[0] == "s" else np.uint64


def limits(name):
    info = np.iinfo(INTEGERS[name])
    return int(info.min), int(info.max)


@pytest.mark.parametrize("to", NUMBERS)
@pytest.mark.parametrize("of", NUMBERS)
def test_integer_to_integer(of, to):
    a = np.unique(integers(INTEGERS[of])[0])
    near = [limit + by for name in NUMBERS for limit in limits(name) for by in (-1, 0, 1)]
    near = [x for x in near if clamped(x, a.dtype) == x]
    a = np.concatenate([a, np.array(near, a.dtype)])
    expected = wrapped(a.tolist(), INTEGERS[to]).astype(wide(to))
    found = run(f"cvt.{to}.{of} %out, %in0;", a, output=wide(to))
    np.testing.assert_array_equal(found, expected)
    if all(clamped(x, INTEGERS[to]) == x for x in limits(of)):
        return  # PTX has no .sat where it would change nothing.
    expected = [clamped(x, INTEGERS[to]) for x in a.tolist()]
    found = run(f"cvt.sat.{to}.{of} %out, %in0;", a, output=wide(to))
    np.testing.assert_array_equal(found, np.array(expected, wide(to)))


def reals_near_integers(name):
    """The ends of all integers' ranges, ties, and what else a format has."""
    ends = [float(end + by) for to in NUMBERS for end in limits(to) for by in (-1, 0, 1)]
    some = [*ends, *(x / 2 for x in range(-9, 10)), 0.49999997, 254.75, 255.25, -0.25, 127.5]
    with np.errstate(over="ignore"):
        some = np.array(some).astype(FLOATS[name])
    return np.concatenate([some, np.nextafter(some, some.dtype.type(0)), some_reals(name, 80)])


def integer_of(x, to, of, rounding):
    """NaN is 0 from 32 bits or fewer to as many, and otherwise the highest bit alone."""
    bits = 8 * np.dtype(INTEGERS[to]).itemsize
    if math.isnan(x):
        return 0 if of != "f64" and bits < 64 else 1 << (bits - 1)
    if math.isinf(x):
        return limits(to)[x > 0]
    return clamped(ROUNDINGS[rounding](Fraction(x)), INTEGERS[to])


# bfloat16 wants registers that are as wide as what is in them, and there are none of 8 bits.
FLOATS_AND_INTEGERS = [
    (real, whole) for real in FLOATS for whole in NUMBERS if (real, whole[1:]) != ("bf16", "8")
]


@pytest.mark.parametrize("rounding", DIRECTIONS)
@pytest.mark.parametrize(("of", "to"), FLOATS_AND_INTEGERS)
def test_float_to_integer(of, to, rounding):
    a = reals_near_integers(of)
    expected = [integer_of(x, to, of, rounding) for x in a.astype(float).tolist()]
    output = INTEGERS[to] if of == "bf16" else wide(to)
    expected = wrapped(expected, INTEGERS[to]).astype(output)
    body = f"cvt.{rounding}i.{to}.{of} %out, %in0;"
    np.testing.assert_array_equal(run(body, a, output=output, header=header_of(of)), expected)


def test_what_is_subnormal_is_0_before_it_is_an_integer():
    a = np.float32([1e-40, -1e-40, 1e-30, 2.5])
    found = run("cvt.rpi.ftz.s32.f32 %out, %in0;", a, output=np.int32)
    np.testing.assert_array_equal(found, [0, 0, 1, 3])
    found = run("cvt.rmi.ftz.s32.f32 %out, %in0;", a, output=np.int32)
    np.testing.assert_array_equal(found, [0, 0, 0, 2])


@pytest.mark.parametrize(
    ("to", "of", "rounding"),
    [(*types, "rn") for types in FLOATS_AND_INTEGERS]
    + [(to, of, each) for to in ("f32", "f64") for of in NUMBERS for each in ("rz", "rm", "rp")],
)
def test_integer_to_float(of, to, rounding):
    a = integers(INTEGERS[of])[0]
    bits = 8 * a.itemsize
    # Between two numbers of the format: exactly, and as little above and below as there is.
    ties = [(257 << n) + by for n in range(1, bits - 9) for by in (-1, 0, 1)]
    ties += [((1 << 24) + 1 << n) + by for n in range(1, bits - 25) for by in (-1, 0, 1)]
    ties += [((1 << 53) + 1 << n) + by for n in range(1, bits - 54) for by in (-1, 0, 1)]
    ties += [65519, 65520, 65504] if bits > 16 else []
    ties += [-x for x in ties] if of[0] == "s" else []
    a = np.concatenate([a, np.array(ties, a.dtype)])
    expected = [rounded(Fraction(x), to, rounding) for x in a.tolist()]
    body = f"cvt.{rounding}.{to}.{of} %out, %in0;"
    found = run(body, a, output=FLOATS[to], header=header_of(to))
    assert_same(found, expected)


@pytest.mark.parametrize("to", ["f16", "f32", "f64"])
@pytest.mark.parametrize("of", ["s8", "u16", "s32", "u64"])
def test_integer_to_float_saturated(of, to):
    a = integers(INTEGERS[of])[0]
    found = run(f"cvt.rn.sat.{to}.{of} %out, %in0;", a, output=FLOATS[to])
    assert_same(found, np.clip(a, 0, 1).astype(float))


def narrowed(a, to, rounding="rn", sat=False, relu=False):
    """Floats in another format: where nothing has to be rounded, as they are."""

    def one(x):
        if sat:
            x = 0.0 if math.isnan(x) or x <= 0 else min(x, 1.0)
        if relu and x <= 0:
            return 0.0
        if not math.isfinite(x) or x == 0:
            return x
        return rounded(Fraction(x), to, rounding)

    with np.errstate(invalid="ignore"):
        return np.array([one(x) for x in a.astype(float).tolist()])


# What has to be rounded says so.
NARROWING = [("f64", "f32", each) for each in DIRECTIONS]
NARROWING += [(of, to, "rn") for of in ("f32", "f64") for to in ("f16", "bf16")]
NARROWING += [("f16", "bf16", "rn"), ("bf16", "f16", "rn")]
EXACT = [("f16", "f32"), ("f16", "f64"), ("bf16", "f32"), ("bf16", "f64"), ("f32", "f64")]


def between(to):
    """Of a wider format: halfway between numbers of the other one, and next to that."""
    digits = {"f16": 11, "bf16": 8, "f32": 24}[to]
    some = [(2 * n + 1) * 2.0 ** (e - digits) for n in (3, 4, 77) for e in (-130, -20, 0, 9)]
    return np.array([*some, *(-x for x in some), 65519.99, 65520, 3.3961e38, 3.4028236e38])


@pytest.mark.parametrize(("of", "to", "rounding"), NARROWING)
def test_float_to_a_narrower_float(of, to, rounding):
    with np.errstate(over="ignore"):
        some = between(to).astype(FLOATS[of])
        up, down = (np.nextafter(some, some.dtype.type(end)) for end in (np.inf, 0))
    a = np.concatenate([some, up, down, some_reals(of, 500)])
    header = header_of(to, of) if of != "f32" else HEADER
    body = f"cvt.{rounding}{{}}.{to}.{of} %out, %in0;"
    found = run(body.format(""), a, output=FLOATS[to], header=header)
    assert_same(found, narrowed(a, to, rounding))
    if rounding == "rn" and "bf16" not in (of, to):
        found = run(body.format(".sat"), a, output=FLOATS[to], header=header)
        assert_same(found, narrowed(a, to, sat=True))
    if of == "f32":
        found = run(body.format(".relu"), a, output=FLOATS[to], header=header)
        assert_same(np.abs(found), np.abs(narrowed(a, to, relu=True)))


@pytest.mark.parametrize(("of", "to"), EXACT)
def test_float_to_a_wider_float(of, to):
    a = some_reals(of, 500)
    header = header_of(of) if to == "f64" else HEADER
    found = run(f"cvt.{to}.{of} %out, %in0;", a, output=FLOATS[to], header=header)
    assert_same(found, narrowed(a, to))
    if of != "bf16":
        found = run(f"cvt.sat.{to}.{of} %out, %in0;", a, output=FLOATS[to], header=header)
        assert_same(found, narrowed(a, to, sat=True))


@pytest.mark.parametrize("rounding", DIRECTIONS)
@pytest.mark.parametrize("name", FLOATS)
def test_float_to_whole_float(name, rounding):
    """The sign of what becomes 0 stays."""
    a = reals_near_integers(name)
    function = {"rn": np.rint, "rz": np.trunc, "rm": np.floor, "rp": np.ceil}[rounding]
    with np.errstate(invalid="ignore"):
        expected = function(a.astype(float)).astype(a.dtype)
    body = f"cvt.{rounding}i.{name}.{name} %out, %in0;"
    assert_same(run(body, a, output=a.dtype, header=header_of(name)), expected)


def test_what_is_subnormal_is_flushed():
    tiny = float(np.finfo(np.float32).tiny)
    a = np.array([1e-40, -1e-40, tiny, -tiny, 2.0])
    single = a.astype(np.float32)
    flushed = np.array([0.0, -0.0, tiny, -tiny, 2.0])
    for body, value, output in (
        ("cvt.rn.ftz.f32.f64 %out, %in0;", a, np.float32),
        ("cvt.ftz.f64.f32 %out, %in0;", single, np.float64),
        ("cvt.rn.ftz.f16.f32 %out, %in0;", single, np.float16),
    ):
        assert_same(run(body, value, output=output), flushed, body)
    found = run("cvt.ftz.sat.f32.f32 %out, %in0;", single, output=np.float32)
    assert_same(found, [0.0, 0.0, tiny, 0.0, 1.0])


@pytest.mark.parametrize("relu", ["", ".relu"])
@pytest.mark.parametrize("name", ["f16", "bf16"])
def test_two_floats_become_a_pair(name, relu):
    """The first one is the upper half."""
    a = some_reals("f32", 200)
    b = a[::-1]
    found = run(f"cvt.rn{relu}.{name}x2.f32 %out, %in0, %in1;", a, b, output=np.uint32)
    for bits, x in ((found >> 16, a), (found & 0xFFFF, b)):
        half = bits.astype(np.uint16).view(FLOATS[name])
        expected = narrowed(x, name, relu=bool(relu))
        if relu:
            half, expected = np.abs(half), np.abs(expected)
        assert_same(half, expected)


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("cvt.rz.f16.f32", HEADER),
        ("cvt.rm.f16.u16", HEADER),
        ("cvt.rp.bf16.s16", NEWER),
        ("cvt.rz.bf16.f32", NEWER),
        ("cvt.rna.tf32.f32", HEADER),
        ("cvt.rn.satfinite.e4m3x2.f32", NEWER.replace("7.8", "8.1")),
    ],
)
def test_unknown_conversions(form, header):
    a = np.zeros(1, np.uint16 if form.endswith("16") else np.float32)
    output = np.uint32 if "tf32" in form else np.uint16
    more = ", %in0" if "x2" in form else ""
    assert form in assert_refused(f"{form} %out, %in0{more};", a, output=output, header=header)


@pytest.mark.parametrize(("bits", "parts"), [(32, 2), (64, 2), (64, 4), (16, 2)])
def test_parts(bits, parts):
    """The first one has the low bits; what is above a part's own bits in its register is not it."""
    size = bits // parts
    a = integers(INTEGERS[f"u{bits}"])[0]
    names = [f"%x{i}" for i in range(parts)]
    declare = f".reg .b{size} {', '.join(names)};"
    swapped = ", ".join(reversed(names))
    body = f"{declare}\nmov.b{bits} {{{', '.join(names)}}}, %in0;\nmov.b{bits} %out, {{{swapped}}};"
    pieces = [[int(x) >> size * i & ((1 << size) - 1) for i in range(parts)] for x in a]
    expected = [sum(x << size * i for i, x in enumerate(reversed(each))) for each in pieces]
    np.testing.assert_array_equal(run(body, a, output=a.dtype), np.array(expected, a.dtype))


def test_parts_that_are_left_out():
    a = integers(np.uint64)[0]
    body = "mov.b64 {_, %out}, %in0;"
    np.testing.assert_array_equal(run(body, a, output=np.uint32), (a >> np.uint64(32)))


@pytest.mark.parametrize(
    ("body", "output", "expected"),
    [
        ("mov.f32 %out, 0f3FC00000;", np.float32, 1.5),
        ("mov.f64 %out, 0dBFF8000000000000;", np.float64, -1.5),
        ("mov.f64 %out, 0d7FF0000000000000;", np.float64, math.inf),
        ("mov.u32 %out, 0xffffffff;", np.uint32, 2**32 - 1),
        ("mov.s32 %out, -7;", np.int32, -7),
        ("mov.b64 %out, 0x8000000000000001;", np.uint64, 2**63 + 1),
        ("mov.s64 %out, -9223372036854775808;", np.int64, -(2**63)),
        ("mov.u16 %out, 65535;", np.uint16, 65535),
        ("mov.b32 %out, 017;", np.uint32, 15),
        ("mov.b32 %out, 0b101;", np.uint32, 5),
        ("mov.u32 %out, 42U;", np.uint32, 42),
        ("mov.u32 %out, WARP_SZ;", np.uint32, 32),
        ("setp.eq.u32 %p, %i, 0;\nmov.pred %q, %p;\nselp.u32 %out, 3, 4, %q;", np.uint32, 3),
    ],
)
def test_constants(body, output, expected):
    (found,) = run(body, np.zeros(1, np.uint32), output=output)
    assert found == expected


def test_registers_that_are_there_by_themselves():
    body = """mov.u32 %out0, %laneid;
mov.u32 %out1, %lanemask_eq;
mov.u32 %out2, %lanemask_lt;
mov.u32 %out3, %lanemask_le;
mov.u32 %out4, %lanemask_gt;
mov.u32 %out5, %lanemask_ge;
mov.u32 %out6, %warpid;
mov.u32 %out7, %ntid.x;"""
    found = run(body, np.zeros(70, np.uint32), output=[np.uint32] * 8)
    lanes = np.arange(70) % 32
    expected = [lanes, 1 << lanes, (1 << lanes) - 1, (2 << lanes) - 1]
    expected += [2**32 - (2 << lanes), 2**32 - (1 << lanes), np.arange(70) // 32, [70] * 70]
    for each, values in zip(found, expected, strict=True):
        np.testing.assert_array_equal(each, values)
