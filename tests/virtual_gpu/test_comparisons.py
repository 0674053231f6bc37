"""setp, set, selp, slct, testp: every comparison of every type, joined with another predicate."""

import numpy as np
import pytest
from assembler import NEWER, assert_refused, run
from cuda_driver import HEADER
from references import FLOATS, INTEGERS, assert_same, integers, pairs, some_reals

ORDERED = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}
OF_UNSIGNED = {"lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal}
# Of floats: which of these hold where one of the two is NaN.
UNORDERED = {f"{name}u": compare for name, compare in ORDERED.items()}
HALVES = ["f16", "bf16"]
WIDE = [f"{kind}{bits}" for kind in "us" for bits in (16, 32, 64)]


def operands(name):
    return pairs(some_reals(name)) if name in FLOATS else integers(INTEGERS[name])


def comparisons(name):
    """Each with what it gives of the type's operands."""
    a, b = operands(name)
    if name[0] == "b" and name not in FLOATS:
        return {form: ORDERED[form](a, b) for form in ("eq", "ne")}
    if name not in FLOATS:
        found = {form: compare(a, b) for form, compare in ORDERED.items()}
        unsigned = OF_UNSIGNED if name[0] == "u" else {}
        return found | {form: compare(a, b) for form, compare in unsigned.items()}
    a, b = a.astype(float), b.astype(float)
    nan = np.isnan(a) | np.isnan(b)
    found = {form: ~nan & compare(a, b) for form, compare in ORDERED.items()}
    found |= {form: nan | compare(a, b) for form, compare in UNORDERED.items()}
    return found | {"num": ~nan, "nan": nan}


def header_of(name):
    return NEWER if name == "bf16" else HEADER


@pytest.mark.parametrize("name", [*WIDE, "b16", "b32", "b64", *FLOATS])
def test_comparisons(name):
    a, b = operands(name)
    for form, expected in comparisons(name).items():
        body = f"setp.{form}.{name} %p, %in0, %in1;\nselp.u32 %out, 1, 0, %p;"
        found = run(body, a, b, output=np.uint32, header=header_of(name))
        np.testing.assert_array_equal(found, expected, form)
        if name in HALVES:
            continue  # They have no second predicate.
        body = f"setp.{form}.{name} %p|%q, %in0, %in1;\n"
        body += "selp.u32 %out0, 1, 0, %p;\nselp.u32 %out1, 1, 0, %q;"
        found = run(body, a, b, output=[np.uint32, np.uint32])
        np.testing.assert_array_equal(found[0], expected, form)
        np.testing.assert_array_equal(found[1], ~expected, form)


JOINS = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}


@pytest.mark.parametrize("negation", ["", "!"])
@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("name", ["u16", "s32", "u64", "f16", "f32", "f64"])
def test_comparisons_joined_with_a_predicate(name, join, negation):
    a, b = operands(name)
    c = np.arange(len(a), dtype=np.uint32) % 3 % 2
    third = (c == 1) != (negation == "!")
    expected = comparisons(name)["lt"]
    second = "" if name in HALVES else "|%q"
    body = f"""setp.ne.u32 %p, %in2, 0;
mov.pred %q, %p;
setp.lt.{join}.{name} %p{second}, %in0, %in1, {negation}%p;
selp.u32 %out0, 1, 0, %p;
selp.u32 %out1, 1, 0, %q;"""
    found = run(body, a, b, c, output=[np.uint32, np.uint32])
    np.testing.assert_array_equal(found[0], JOINS[join](expected, third))
    if second:
        np.testing.assert_array_equal(found[1], JOINS[join](~expected, third))


def test_a_comparison_that_flushes():
    a = np.float32([1e-40, -1e-40, 1e-40, 2e-38])
    b = np.float32([0, 0, -1e-40, 0])
    body = "setp.eq{}.f32 %p, %in0, %in1;\nselp.u32 %out, 1, 0, %p;"
    np.testing.assert_array_equal(run(body.format(""), a, b, output=np.uint32), 0)
    found = run(body.format(".ftz"), a, b, output=np.uint32)
    np.testing.assert_array_equal(found, [1, 1, 1, 0])


@pytest.mark.parametrize(
    ("name", "to"),
    [(name, to) for name in (*WIDE, "b32", "f32", "f64") for to in ("u32", "s32", "f32")]
    + [("f16", "u32"), ("f16", "s32")],
)
def test_set(name, to):
    """All ones, or 1.0, where it holds."""
    a, b = operands(name)
    output = FLOATS.get(to) or INTEGERS[to]
    yes = 1.0 if to == "f32" else -1
    for form, expected in comparisons(name).items():
        found = run(f"set.{form}.{to}.{name} %out, %in0, %in1;", a, b, output=output)
        values = np.where(expected, yes, 0).astype(output)
        np.testing.assert_array_equal(found, values, form)


@pytest.mark.parametrize("name", [*WIDE, "b16", "b32", "b64", "f32", "f64"])
def test_selp(name):
    dtype = FLOATS.get(name) or INTEGERS[name]
    a, b = operands(name)
    body = f"and.b32 %i, %i, 1;\nsetp.eq.u32 %p, %i, 1;\nselp.{name} %out, %in0, %in1, {{}}%p;"
    odd = np.arange(len(a)) % 2 == 1
    assert_same(run(body.format(""), a, b, output=dtype), np.where(odd, a, b))
    assert_same(run(body.format("!"), a, b, output=dtype), np.where(odd, b, a))


@pytest.mark.parametrize("name", [*WIDE, "b16", "b32", "b64", "f32", "f64"])
def test_slct(name):
    """The first one unless the third is negative; −0 is not, and NaN takes the second."""
    dtype = FLOATS.get(name) or INTEGERS[name]
    a, b = (x[:256] for x in operands(name))
    signs = np.int32([0, 1, -1, 2**31 - 1, -(2**31)])[np.arange(len(a)) % 5]
    found = run(f"slct.{name}.s32 %out, %in0, %in1, %in2;", a, b, signs, output=dtype)
    assert_same(found, np.where(signs >= 0, a, b))
    signs = np.float32([0.0, -0.0, 3, -3, 1e-40, -1e-40, np.inf, -np.inf, np.nan])
    signs = signs[np.arange(len(a)) % 9]
    for ftz, is_first in (("", signs >= 0), (".ftz", signs >= -1e-39)):
        found = run(f"slct{ftz}.{name}.f32 %out, %in0, %in1, %in2;", a, b, signs, output=dtype)
        assert_same(found, np.where(is_first, a, b))


@pytest.mark.parametrize("name", ["f32", "f64"])
def test_testp(name):
    a = some_reals(name, 100)
    tiny = np.finfo(a.dtype).tiny
    size = np.abs(a)
    expected = {
        "finite": np.isfinite(a),
        "infinite": np.isinf(a),
        "number": ~np.isnan(a),
        "notanumber": np.isnan(a),
        "normal": np.isfinite(a) & (size >= tiny),
        "subnormal": (size > 0) & (size < tiny),
    }
    for form, values in expected.items():
        body = f"testp.{form}.{name} %p, %in0;\nselp.u32 %out, 1, 0, %p;"
        np.testing.assert_array_equal(run(body, a, output=np.uint32), values, form)


@pytest.mark.parametrize(
    "body",
    [
        "setp.equ.u32 %p, %in0, %in0;",
        "setp.lo.s32 %p, %in0, %in0;",
        "setp.lt.b32 %p, %in0, %in0;",
        "setp.num.u32 %p, %in0, %in0;",
    ],
)
def test_unknown_comparisons(body):
    assert body.split()[0] in assert_refused(body, np.zeros(1, np.uint32))


def test_a_joined_set():
    """PTX has it, and this machine does not."""
    body = "setp.eq.u32 %p, %in0, 0;\nset.eq.and.u32.u32 %out, %in0, %in0, %p;"
    assert "set.eq.and.u32.u32" in assert_refused(body, np.zeros(1, np.uint32))
