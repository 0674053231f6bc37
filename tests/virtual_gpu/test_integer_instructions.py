"""Arithmetic of integers, against Python's, at the ends of each type."""

import numpy as np
import pytest
import virtual_gpu
from assembler import assert_refused, run
from references import INTEGERS, clamped, integers, wrapped

NUMBERS = ["u16", "s16", "u32", "s32", "u64", "s64"]


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


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("operation", ARITHMETIC)
def test_arithmetic_of_integers(operation, name):
    dtype = INTEGERS[name]
    a, b = integers(dtype)
    if operation in ("div", "rem"):
        a, b = a[b != 0], b[b != 0]
    bits = 8 * a.itemsize
    expected = [ARITHMETIC[operation](int(x), int(y), bits) for x, y in zip(a, b, strict=True)]
    found = run(f"{operation}.{name} %out, %in0, %in1;", a, b, output=dtype)
    np.testing.assert_array_equal(found, wrapped(expected, dtype))


def three(dtype):
    """Python's integers, and the arrays of them."""
    a, b = integers(dtype)
    c = np.random.default_rng(0).permutation(a)
    return list(zip(*(x.tolist() for x in (a, b, c)), strict=True)), (a, b, c)


def low24(x, name):
    x &= 0xFFFFFF
    return x - (1 << 24) if name[0] == "s" and x >> 23 else x


TERNARY = {
    "mad.lo": lambda a, b, c, _: a * b + c,
    "mad.hi": lambda a, b, c, bits: (a * b >> bits) + c,
    "sad": lambda a, b, c, _: abs(a - b) + c,
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("operation", TERNARY)
def test_arithmetic_of_three_integers(operation, name):
    dtype = INTEGERS[name]
    values, arrays = three(dtype)
    expected = [TERNARY[operation](*each, 8 * np.dtype(dtype).itemsize) for each in values]
    found = run(f"{operation}.{name} %out, %in0, %in1, %in2;", *arrays, output=dtype)
    np.testing.assert_array_equal(found, wrapped(expected, dtype))


@pytest.mark.parametrize("name", ["u32", "s32"])
def test_products_of_24_bits(name):
    dtype = INTEGERS[name]
    values, arrays = three(dtype)
    products = [low24(a, name) * low24(b, name) for a, b, _ in values]
    found = run(f"mul24.lo.{name} %out, %in0, %in1;", *arrays[:2], output=dtype)
    np.testing.assert_array_equal(found, wrapped(products, dtype))
    sums = [product + c for product, (_, _, c) in zip(products, values, strict=True)]
    found = run(f"mad24.lo.{name} %out, %in0, %in1, %in2;", *arrays, output=dtype)
    np.testing.assert_array_equal(found, wrapped(sums, dtype))


@pytest.mark.parametrize("name", ["s16", "s32", "s64"])
def test_signs_of_integers(name):
    """The least number has no negative, and stays as it is."""
    a = np.unique(integers(INTEGERS[name])[0])
    found = run(f"abs.{name} %out, %in0;", a, output=a.dtype)
    np.testing.assert_array_equal(found, wrapped([abs(x) for x in a.tolist()], a.dtype))
    found = run(f"neg.{name} %out, %in0;", a, output=a.dtype)
    np.testing.assert_array_equal(found, wrapped([-x for x in a.tolist()], a.dtype))


def test_sums_that_saturate():
    a, b = integers(np.int32)
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    found = run("add.sat.s32 %out, %in0, %in1;", a, b, output=np.int32)
    np.testing.assert_array_equal(found, [clamped(x + y, np.int32) for x, y in pairs])
    found = run("sub.sat.s32 %out, %in0, %in1;", a, b, output=np.int32)
    np.testing.assert_array_equal(found, [clamped(x - y, np.int32) for x, y in pairs])


@pytest.mark.parametrize("name", ["u16", "s16", "u32", "s32"])
def test_wide_products(name):
    a, b = integers(INTEGERS[name])
    wide = INTEGERS[f"{name[0]}{2 * int(name[1:])}"]
    c = np.random.default_rng(0).permutation(np.resize(np.unique(integers(wide)[0]), len(a)))
    products = [x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    found = run(f"mul.wide.{name} %out, %in0, %in1;", a, b, output=wide)
    np.testing.assert_array_equal(found, wrapped(products, wide))
    sums = [x + y for x, y in zip(products, c.tolist(), strict=True)]
    found = run(f"mad.wide.{name} %out, %in0, %in1, %in2;", a, b, c, output=wide)
    np.testing.assert_array_equal(found, wrapped(sums, wide))


SPLIT = """.reg .b32 %al, %ah, %bl, %bh, %cl, %ch, %x, %y, %z;
mov.b64 {%al, %ah}, %in0;
mov.b64 {%bl, %bh}, %in1;
"""


@pytest.mark.parametrize("kind", "us")
def test_sums_and_differences_in_words(kind):
    """A third word has what goes over the end of the second."""
    a, b = integers(np.uint64)
    for operation, sign in (("add", 1), ("sub", -1)):
        body = f"""{SPLIT}{operation}.cc.{kind}32 %al, %al, %bl;
{operation}c.cc.{kind}32 %ah, %ah, %bh;
{operation}c.{kind}32 %out1, 0, 0;
mov.b64 %out0, {{%al, %ah}};"""
        exact = [x + sign * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        found = run(body, a, b, output=[np.uint64, np.uint32])
        np.testing.assert_array_equal(found[0], wrapped(exact, np.uint64))
        np.testing.assert_array_equal(found[1], wrapped([x >> 64 for x in exact], np.uint32))


def test_sums_in_words_of_64_bits():
    a, b = integers(np.uint64)
    body = "add.cc.u64 %out0, %in0, %in1;\naddc.u64 %out1, %in0, %in1;"
    found = run(body, a, b, output=[np.uint64, np.uint64])
    sums = [x + y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    np.testing.assert_array_equal(found[0], wrapped(sums, np.uint64))
    again = [x + (x >> 64) for x in sums]
    np.testing.assert_array_equal(found[1], wrapped(again, np.uint64))


def test_products_in_words():
    """128 bits of the product of two numbers of 64, as nvcc composes them."""
    a, b = integers(np.uint64)
    body = f"""{SPLIT}mul.lo.u32 %x, %al, %bl;
mul.hi.u32 %y, %al, %bl;
mad.lo.cc.u32 %y, %al, %bh, %y;
madc.hi.u32 %z, %al, %bh, 0;
mad.lo.cc.u32 %y, %ah, %bl, %y;
madc.hi.cc.u32 %z, %ah, %bl, %z;
madc.hi.u32 %ch, %ah, %bh, 0;
mad.lo.cc.u32 %z, %ah, %bh, %z;
addc.u32 %ch, %ch, 0;
mov.b64 %out0, {{%x, %y}};
mov.b64 %out1, {{%z, %ch}};"""
    exact = [x * y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    found = run(body, a, b, output=[np.uint64, np.uint64])
    np.testing.assert_array_equal(found[0], wrapped(exact, np.uint64))
    np.testing.assert_array_equal(found[1], wrapped([x >> 64 for x in exact], np.uint64))


def test_what_has_no_carry_leaves_it_alone():
    body = """add.cc.u32 %out1, %in0, %in0;
add.u32 %out1, %in0, 1;
mul.lo.u32 %out1, %out1, 3;
addc.u32 %out1, 0, 0;
addc.u32 %out1, 0xffffffff, 1;
addc.u32 %out0, 0, 0;"""
    a = np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 1], np.uint32)
    found = run(body, a, output=[np.uint32, np.uint32])
    np.testing.assert_array_equal(found[0], a >> 31)


@pytest.mark.parametrize("split", [0, 3])
def test_each_thread_has_a_carry_of_its_own(split):
    a = np.arange(64, dtype=np.uint32) % 2 * np.uint32(2**31)
    body = """add.cc.u32 %out, %in0, %in0;
setp.lt.u32 %p, %i, 20;
@%p bra $end;
mov.u32 %out, 0;
$end:
addc.u32 %out, 0, 0;"""
    with virtual_gpu.settings(split=split):
        np.testing.assert_array_equal(run(body, a, output=np.uint32), np.arange(64) % 2)


@pytest.mark.parametrize(
    "body",
    [
        "frobnicate.u32 %out, %in0;",
        "add.sideways.u32 %out, %in0, 1;",
        "mul.u32 %out, %in0, 1;",
        "mul24.hi.u32 %out, %in0, 1;",
        "abs.u32 %out, %in0;",
        "neg.u32 %out, %in0;",
        "add.sat.u32 %out, %in0, 1;",
        "dp4a.u32.u32 %out, %in0, %in0, %in0;",
        "vadd.u32.u32.u32 %out, %in0, %in0;",
    ],
)
def test_an_unknown_form_is_named(body):
    assert body.split()[0] in assert_refused(body, np.zeros(1, np.uint32))


@pytest.mark.parametrize(
    "body",
    [
        "add.u32 %out, %in0;",
        "add.u32 %out, %in0, 1, 2;",
        "not.b32 %out, %in0, %in0;",
        "mad.lo.u32 %out, %in0, %in0;",
        "sad.u32 %out, %in0, %in0;",
        "fma.rn.f32 %out, %in0, %in0;",
        "max.f32 %out, %in0, %in0, %in0;",
        "sqrt.rn.f32 %out, %in0, %in0;",
        "lop3.b32 %out, %in0, %in0, 3;",
        "bfi.b32 %out, %in0, %in0, 3;",
        "selp.u32 %out, %in0, %in0;",
        "setp.eq.u32 %p, %in0;",
        "cvt.u32.s32 %out, %in0, %in0;",
        "add.u32 %out, [%a], 1;",
        "shfl.sync.up.b32 %out, %in0, 1, 0;",
    ],
)
def test_a_wrong_number_of_operands(body):
    """Nothing is passed over, and nothing read that is not there."""
    assert body.split()[0] in assert_refused(body, np.zeros(1, np.uint32))
