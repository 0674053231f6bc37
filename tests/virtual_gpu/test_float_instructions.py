"""float32 and float64: what is rounded once, in each direction, and what is only approximate."""

import math

import numpy as np
import pytest
from assembler import assert_refused, run
from references import (
    FLOATS,
    ROUNDINGS,
    any_nan,
    assert_same,
    each,
    fused,
    larger,
    pairs,
    product,
    quotient,
    root,
    smaller,
    some_reals,
)

REALS = ["f32", "f64"]
EXACT = {
    "add": lambda a, b, *how: fused(a, 1.0, b, *how),
    "sub": lambda a, b, *how: fused(a, 1.0, -b, *how),
    "mul": product,
    "div": quotient,
}
DIRECTIONS = [*ROUNDINGS]


def three(name):
    """Each with each, and a third one: a few times what all but cancels a product."""
    a, b = pairs(some_reals(name))
    with np.errstate(all="ignore"):
        return (
            a,
            b,
            np.where(np.arange(len(a)) % 3 == 0, -(a * b), np.random.default_rng(1).permutation(a)),
        )


@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize(
    ("operation", "rounding"),
    [(operation, rounding) for operation in EXACT for rounding in DIRECTIONS]
    + [(operation, "") for operation in ("add", "sub", "mul")],
)
def test_two_floats(operation, rounding, name):
    a, b = pairs(some_reals(name))
    how = (name, rounding or "rn")
    expected = each(lambda x, y: EXACT[operation](x, y, *how), name, a, b)
    form = ".".join(filter(None, (operation, rounding, name)))
    assert_same(run(f"{form} %out, %in0, %in1;", a, b, output=a.dtype), expected)


@pytest.mark.parametrize("rounding", DIRECTIONS)
@pytest.mark.parametrize("name", REALS)
@pytest.mark.parametrize("operation", ["fma", "mad"])
def test_a_product_with_a_sum_is_rounded_once(operation, name, rounding):
    a, b, c = three(name)
    expected = each(lambda *x: fused(*x, name, rounding), name, a, b, c)
    body = f"{operation}.{rounding}.{name} %out, %in0, %in1, %in2;"
    assert_same(run(body, a, b, c, output=a.dtype), expected)


@pytest.mark.parametrize("rounding", DIRECTIONS)
@pytest.mark.parametrize("name", REALS)
def test_roots_and_reciprocals(name, rounding):
    a = some_reals(name, 400)
    for body, function in (
        (f"sqrt.{rounding}.{name}", lambda x: root(x, name, rounding)),
        (f"rcp.{rounding}.{name}", lambda x: quotient(1.0, x, name, rounding)),
    ):
        found = run(f"{body} %out, %in0;", a, output=a.dtype)
        assert_same(found, each(function, name, a), body)


@pytest.mark.parametrize("name", REALS)
def test_the_smaller_and_the_larger(name):
    a, b = pairs(some_reals(name))
    forms = {"min": smaller, "max": larger}
    if name == "f32":
        forms |= {"min.NaN": any_nan(smaller), "max.NaN": any_nan(larger)}
    for form, function in forms.items():
        found = run(f"{form}.{name} %out, %in0, %in1;", a, b, output=a.dtype)
        assert_same(found, each(function, name, a, b), form)


@pytest.mark.parametrize("name", REALS)
def test_signs_of_floats(name):
    a, b = pairs(some_reals(name))
    for body, expected in (
        (f"neg.{name} %out, %in0;", -a),
        (f"abs.{name} %out, %in0;", np.abs(a)),
        (f"copysign.{name} %out, %in0, %in1;", np.copysign(b, a)),
    ):
        assert_same(run(body, a, b, output=a.dtype), expected, body)


def flushed(x):
    return math.copysign(0.0, x) if 0 < abs(x) < 2.0**-126 else x


def saturated(x):
    return 0.0 if math.isnan(x) or x <= 0 else min(x, 1.0)


FLUSHING = {
    "add": lambda a, b, _: fused(a, 1.0, b, "f32"),
    "sub": lambda a, b, _: fused(a, 1.0, -b, "f32"),
    "mul": lambda a, b, _: product(a, b, "f32"),
    "fma.rn": lambda a, b, c: fused(a, b, c, "f32"),
    "div.rn": lambda a, b, _: quotient(a, b, "f32"),
    "min": lambda a, b, _: smaller(a, b),
    "max": lambda a, b, _: larger(a, b),
    "min.NaN": lambda a, b, _: any_nan(smaller)(a, b),
    "neg": lambda a, _, __: -a,
    "abs": lambda a, _, __: abs(a),
    "sqrt.rn": lambda a, _, __: root(a, "f32"),
    "rcp.rn": lambda a, _, __: quotient(1.0, a, "f32"),
}
OPERANDS = {"fma.rn": 3, "neg": 1, "abs": 1, "sqrt.rn": 1, "rcp.rn": 1}
PTX_ORDER = {"min.NaN": "min.ftz.NaN"}


def operands_of(operation):
    return ", ".join(f"%in{i}" for i in range(OPERANDS.get(operation, 2)))


@pytest.mark.parametrize("operation", FLUSHING)
def test_what_is_subnormal_is_0_on_both_sides(operation):
    arrays = three("f32")
    function = FLUSHING[operation]
    expected = each(lambda *x: flushed(function(*map(flushed, x))), "f32", *arrays)
    form = PTX_ORDER.get(operation, f"{operation}.ftz")
    body = f"{form}.f32 %out, {operands_of(operation)};"
    assert_same(run(body, *arrays, output=np.float32), expected)


@pytest.mark.parametrize("ftz", ["", ".ftz"])
@pytest.mark.parametrize("operation", ["add", "sub", "mul", "fma.rn"])
def test_results_between_0_and_1(operation, ftz):
    """NaN is 0 as well, and −0 is +0."""
    arrays = three("f32")
    change = flushed if ftz else lambda x: x
    function = FLUSHING[operation]
    expected = each(lambda *x: saturated(change(function(*map(change, x)))), "f32", *arrays)
    body = f"{operation}{ftz}.sat.f32 %out, {operands_of(operation)};"
    assert_same(run(body, *arrays, output=np.float32), expected)


def exact(function):
    """In float64, of which what is only approximate is compared with."""

    def of(*operands):
        with np.errstate(all="ignore"):
            return function(*(x.astype(np.float64) for x in operands))

    return of


# Of each how far it may be away from the exact result, as PTX says it, relatively or absolutely,
# and the range in which it says so.
APPROXIMATE = {
    "sqrt.approx.f32": (np.sqrt, 2.0**-23, 0, None),
    "rsqrt.approx.f32": (lambda x: 1 / np.sqrt(x), 2.0**-22.9, 0, None),
    "rcp.approx.f32": (lambda x: 1 / x, 2.0**-23, 0, None),
    "ex2.approx.f32": (np.exp2, 2.0**-22, 0, None),
    "lg2.approx.f32": (np.log2, 2.0**-22, 2.0**-22, None),
    "sin.approx.f32": (np.sin, 0, 2.0**-20.5, 2 * math.pi),
    "cos.approx.f32": (np.cos, 0, 2.0**-20.5, 2 * math.pi),
    "tanh.approx.f32": (np.tanh, 2.0**-11, 0, None),
    "rsqrt.approx.f64": (lambda x: 1 / np.sqrt(x), 2.0**-22.9, 0, None),
}


# float64 and tanh have no .ftz.
@pytest.mark.parametrize(
    ("form", "ftz"),
    [(form, "") for form in APPROXIMATE]
    + [
        (form, ".ftz")
        for form in APPROXIMATE
        if form not in ("tanh.approx.f32", "rsqrt.approx.f64")
    ],
)
def test_approximate_functions(form, ftz):
    function, relative, absolute, most = APPROXIMATE[form]
    a = np.concatenate([some_reals(form[-3:], 500), np.linspace(-7, 7, 300).astype("float32")])
    a = a.astype(FLOATS[form[-3:]])
    if most is not None:
        a = a[~(np.abs(a) > most)]  # The infinite ones are below.
    operand = each(flushed, "f32", a) if ftz else a
    expected = exact(function)(operand)
    found = run(f"{form.replace('approx', 'approx' + ftz)} %out, %in0;", a, output=a.dtype)
    with np.errstate(over="ignore"):
        nearest = expected.astype(a.dtype)
    special = ~np.isfinite(nearest) | (nearest == 0)
    assert_same(found[special], nearest[special])
    least = np.finfo(a.dtype).tiny
    rest = ~special & (np.abs(expected) >= least)
    np.testing.assert_allclose(
        found[rest].astype(float), expected[rest], rtol=relative, atol=absolute
    )
    tiny = ~special & ~rest
    error = np.abs(found[tiny].astype(float) - expected[tiny])
    assert np.all(error <= (least if ftz else np.finfo(a.dtype).smallest_subnormal))


@pytest.mark.parametrize("form", ["div.approx", "div.full", "div.approx.ftz", "div.full.ftz"])
def test_approximate_quotients(form):
    """Two units in the last place, for divisors that have a reciprocal."""
    rng = np.random.default_rng(0)
    a, b = (np.ldexp(rng.uniform(1, 2, 900), rng.integers(-60, 60, 900)) for _ in range(2))
    a, b = (x.astype(np.float32) * rng.choice([1, -1], 900).astype(np.float32) for x in (a, b))
    found = run(f"{form}.f32 %out, %in0, %in1;", a, b, output=np.float32)
    np.testing.assert_allclose(found, a.astype(float) / b, rtol=2.0**-22)


@pytest.mark.parametrize(
    ("form", "operands", "expected"),
    [
        ("ex2", [-math.inf, math.inf, -0.0, 1e-40, 3], [0, math.inf, 1, 1, 8]),
        ("lg2", [-0.0, 0.0, math.inf, -1, 8], [-math.inf, -math.inf, math.inf, math.nan, 3]),
        ("rsqrt", [-0.0, 0.0, math.inf, -1, 4], [-math.inf, math.inf, 0, math.nan, 0.5]),
        ("sqrt", [-0.0, 0.0, math.inf, -1, 4], [-0.0, 0.0, math.inf, math.nan, 2]),
        ("rcp", [-0.0, 0.0, math.inf, -math.inf, 4], [-math.inf, math.inf, 0, -0.0, 0.25]),
        ("sin", [-0.0, 0.0, math.inf, -math.inf, math.nan], [-0.0, 0.0, *[math.nan] * 3]),
        ("cos", [-0.0, 0.0, math.inf, -math.inf, math.nan], [1, 1, *[math.nan] * 3]),
        ("tanh", [-0.0, 0.0, math.inf, -math.inf, math.nan], [-0.0, 0.0, 1, -1, math.nan]),
    ],
)
def test_approximate_functions_at_their_ends(form, operands, expected):
    a = np.array(operands, np.float32)
    assert_same(run(f"{form}.approx.f32 %out, %in0;", a, output=np.float32), expected)


@pytest.mark.parametrize(
    "body",
    [
        "add.rz.ftz.f32 %out, %in0, %in0;",
        "mul.rp.sat.f32 %out, %in0, %in0;",
        "rcp.approx.ftz.f64 %d, %d;",
    ],
)
def test_unknown_forms_of_floats(body):
    a = np.zeros(1, np.float32)
    complaint = assert_refused(".reg .f64 %d;\n" + body, a, output=np.float32)
    assert body.split()[0] in complaint
