"""float16 and bfloat16, and pairs of them, against fractions that are rounded once."""

import numpy as np
import pytest
from assembler import NEWER, assert_refused, run
from cuda_driver import HEADER
from references import (
    FLOATS,
    any_nan,
    assert_same,
    each,
    fused,
    larger,
    pairs,
    product,
    smaller,
    some_reals,
)

HALVES = ["f16", "bf16"]
QUIET = 0x7FFF  # the only NaN that arithmetic gives


def header_of(operation, name):
    """What sm_80 has of bfloat16 are fma, neg, abs, min and max."""
    known = "fma", "neg", "abs", "min", "max"
    return HEADER if name == "f16" or operation in known else NEWER


def three(name):
    """Each with each, and a third one."""
    a, b = pairs(some_reals(name))
    return a, b, np.random.default_rng(1).permutation(a)


EXACT = {
    "add": lambda name: lambda a, b: fused(a, 1.0, b, name),
    "sub": lambda name: lambda a, b: fused(a, 1.0, -b, name),
    "mul": lambda name: lambda a, b: product(a, b, name),
}
BINARY = {f"{exact}{rn}": of for exact, of in EXACT.items() for rn in ("", ".rn")}
BINARY |= {
    "min": lambda _: smaller,
    "max": lambda _: larger,
    "min.NaN": lambda _: any_nan(smaller),
    "max.NaN": lambda _: any_nan(larger),
}


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("form", BINARY)
def test_two_halves(form, name):
    a, b = pairs(some_reals(name))
    header = header_of(form.split(".")[0], name)
    found = run(f"{form}.{name} %out, %in0, %in1;", a, b, output=a.dtype, header=header)
    assert_same(found, each(BINARY[form](name), name, a, b))
    assert set(found[np.isnan(found)].view(np.uint16)) <= {QUIET}


@pytest.mark.parametrize("name", HALVES)
def test_a_product_and_a_sum_are_rounded_once(name):
    a, b, c = three(name)
    expected = each(lambda *x: fused(*x, name), name, a, b, c)
    found = run(f"fma.rn.{name} %out, %in0, %in1, %in2;", a, b, c, output=a.dtype)
    assert_same(found, expected)
    clamped = [0.0 if x < 0 else x for x in expected.astype(float)]
    found = run(f"fma.rn.relu.{name} %out, %in0, %in1, %in2;", a, b, c, output=a.dtype)
    assert_same(np.abs(found), np.abs(clamped))


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_least_addend_breaks_a_tie(name, sign):
    """The product is between two numbers, as near to both: next to nothing decides."""
    least = np.finfo(np.float16).smallest_subnormal if name == "f16" else 2.0**-133
    ulp = {"f16": 2.0**-10, "bf16": 2.0**-7}[name]
    a, b = 1 + ulp, 1.5  # 1.5 + 1.5 ulp
    a, b, c = (np.array([x], FLOATS[name]) for x in (a, b, sign * least))
    expected = each(lambda *x: fused(*x, name), name, a, b, c)
    found = run(f"fma.rn.{name} %out, %in0, %in1, %in2;", a, b, c, output=a.dtype)
    assert_same(found, expected)


@pytest.mark.parametrize("name", HALVES)
def test_signs(name):
    a = some_reals(name)
    for operation, expected in (("neg", -a), ("abs", np.abs(a))):
        assert_same(run(f"{operation}.{name} %out, %in0;", a, output=a.dtype), expected, operation)


@pytest.mark.parametrize(
    ("form", "function"),
    [
        ("ex2.approx.f16", np.exp2),
        ("ex2.approx.ftz.bf16", np.exp2),
        ("tanh.approx.f16", np.tanh),
        ("tanh.approx.bf16", np.tanh),
    ],
)
def test_approximations(form, function):
    """To two of the last digits, where the result has all of them."""
    name = form.split(".")[-1]
    a = some_reals(name, 200)
    with np.errstate(all="ignore"):
        exact = function(a.astype(float))
        expected = exact.astype(a.dtype)
    found = run(f"{form} %out, %in0;", a, output=a.dtype, header=header_of(form, name))
    digits = 10 if name == "f16" else 7
    normal = {"f16": 2.0**-14, "bf16": 2.0**-126}[name]
    is_plain = np.isfinite(expected) & (np.abs(expected.astype(float)) >= normal)
    np.testing.assert_allclose(
        found[is_plain].astype(float), exact[is_plain], rtol=2.0 ** (1 - digits)
    )
    special = ~np.isfinite(expected)
    assert_same(found[special], expected[special])
    rest = ~is_plain & ~special
    if "ftz" in form:
        assert np.all(found[rest] == 0)
    else:
        assert np.all(np.abs(found[rest].astype(float) - exact[rest]) <= normal / 500)


def packed(low, high):
    return low.view(np.uint16).astype(np.uint32) | high.view(np.uint16).astype(np.uint32) << 16


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("form", [*BINARY, "fma.rn", "fma.rn.relu", "neg", "abs"])
def test_pairs_are_two_of_them(form, name):
    """Each half of a pair is what the same instruction gives of it alone."""
    operands = three(name)
    operation = form.split(".")[0]
    count = {"fma": 3, "neg": 1, "abs": 1}.get(operation, 2)
    low = operands[:count]
    high = [np.roll(x, 37)[::-1] for x in low]
    header = header_of(operation, name)
    names = ", ".join(f"%in{i}" for i in range(count))
    halves = [
        run(f"{form}.{name} %out, {names};", *half, output=low[0].dtype, header=header)
        for half in (low, high)
    ]
    both = [packed(x, y) for x, y in zip(low, high, strict=True)]
    body = f"{form}.{name}x2 %out, {names};"
    found = run(body, *both, output=np.uint32, header=header)
    assert_same((found & 0xFFFF).astype(np.uint16).view(low[0].dtype), halves[0])
    assert_same((found >> 16).astype(np.uint16).view(low[0].dtype), halves[1])


@pytest.mark.parametrize("name", HALVES)
def test_functions_of_pairs(name):
    ftz = ".ftz" if name == "bf16" else ""
    a = some_reals(name)
    for form in (f"ex2.approx{ftz}.{name}", f"tanh.approx.{name}"):
        header = header_of(form.split(".")[0], name)
        alone = run(f"{form} %out, %in0;", a, output=a.dtype, header=header)
        body = f"{form}x2 %out, %in0;"
        found = run(body, packed(a, a[::-1]), output=np.uint32, header=header)
        np.testing.assert_array_equal(found, packed(alone, alone[::-1]), form)


@pytest.mark.parametrize("form", ["add.ftz.f16", "mul.sat.f16", "fma.rn.ftz.f16"])
def test_unknown_forms_of_halves(form):
    a = np.zeros(1, np.float16)
    more = ", %in0" if form.startswith("fma") else ""
    assert form in assert_refused(f"{form} %out, %in0, %in0{more};", a, output=np.float16)
