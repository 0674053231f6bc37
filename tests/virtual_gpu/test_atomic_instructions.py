"""atom and red: what comes back, what stands there in the end, and what they refuse."""

import math

import numpy as np
import pytest
import virtual_gpu
from assembler import assert_refused, fault_of, launch, run
from references import FLOATS, INTEGERS, integers, pairs, some_reals, wrapped

FUNCTIONS = {
    "add": lambda old, value: old + value,
    "min": min,
    "max": max,
    "exch": lambda _, value: value,
    "and": lambda old, value: old & value,
    "or": lambda old, value: old | value,
    "xor": lambda old, value: old ^ value,
    "inc": lambda old, value: 0 if old >= value else old + 1,
    "dec": lambda old, value: value if old == 0 or old > value else old - 1,
}
TYPES = {
    "add": ("u32", "s32", "u64"),
    "min": ("u32", "s32", "u64", "s64"),
    "max": ("u32", "s32", "u64", "s64"),
    "exch": ("b32", "b64"),
    "and": ("b32", "b64"),
    "or": ("b32", "b64"),
    "xor": ("b32", "b64"),
    "inc": ("u32",),
    "dec": ("u32",),
}
FORMS = [(operation, name) for operation, names in TYPES.items() for name in names]

# %w is the address of a place of this thread's own, which has %in0: its input's, or a shared one.
PLACES = {
    "global": """.reg .b64 %w;
ld.param.u64 %w, [p_in0];
mad.wide.u32 %w, %i, {size}, %w;""",
    "shared": """.reg .b64 %w;
.shared .align 8 .b8 place[8192];
mov.u64 %w, place;
mad.wide.u32 %w, %i, {size}, %w;
st.shared.{store} [%w], %in0;""",
}
GENERIC = {"global": "cvta.global.u64 %w, %w;", "shared": "cvta.shared.u64 %w, %w;"}


def place(space, name):
    store = name.replace("s", "u").replace("b", "u")
    return PLACES[space].format(size=int(name[1:]) // 8, store=store)


def operands(operation, name):
    old, value = integers(INTEGERS[name])
    if operation in ("inc", "dec"):  # near the bound too
        value = np.concatenate([value, old, old + 1, old - 1])[-1000:]
        old = np.concatenate([old] * 4)[-1000:]
    return old, value


@pytest.mark.parametrize("space", PLACES)
@pytest.mark.parametrize(("operation", "name"), FORMS)
def test_one_thread_a_location(operation, name, space):
    old, value = operands(operation, name)
    made = [FUNCTIONS[operation](int(x), int(y)) for x, y in zip(old, value, strict=True)]
    expected = wrapped(made, old.dtype)
    load = f"ld.{space}.{name.replace('b', 'u')} %out1, [%w];"
    body = f"{place(space, name)}\natom.{space}.{operation}.{name} %out0, [%w], %in1;\n{load}"
    found = run(body, old, value, output=[old.dtype, old.dtype])
    np.testing.assert_array_equal(found[0], old)
    np.testing.assert_array_equal(found[1], expected)
    if operation == "exch":
        return  # red has none
    body = f"{place(space, name)}\nred.{space}.{operation}.{name} [%w], %in1;\n{load}"
    body = body.replace("%out1", "%out")
    np.testing.assert_array_equal(run(body, old, value, output=old.dtype), expected)


@pytest.mark.parametrize("space", PLACES)
@pytest.mark.parametrize("name", ["b32", "b64"])
def test_compare_and_swap(name, space):
    old, compared = integers(INTEGERS[name])
    value = np.arange(len(old), dtype=old.dtype)
    body = f"""{place(space, name)}
atom.{space}.cas.{name} %out0, [%w], %in1, %in2;
ld.{space}.{name.replace("b", "u")} %out1, [%w];"""
    found = run(body, old, compared, value, output=[old.dtype, old.dtype])
    np.testing.assert_array_equal(found[0], old)
    np.testing.assert_array_equal(found[1], np.where(old == compared, value, old))


@pytest.mark.parametrize("space", PLACES)
@pytest.mark.parametrize("name", ["f32", "f64"])
def test_sums_of_floats(name, space):
    """In float32 what is subnormal is 0 in global memory, and is not in shared memory."""
    old, value = pairs(some_reals(name))
    flushes = name == "f32" and space == "global"

    def flushed(x):
        is_small = flushes & (np.abs(x) < np.finfo(x.dtype).tiny)
        return np.where(is_small, np.copysign(x.dtype.type(0), x), x)

    with np.errstate(all="ignore"):
        expected = flushed(flushed(old) + flushed(value))
    load = f"ld.{space}.{name}"
    body = f"{place(space, name)}\natom.{space}.add.{name} %out0, [%w], %in1;\n{load} %out1, [%w];"
    found = run(body, old, value, output=[FLOATS[name]] * 2)
    np.testing.assert_array_equal(found[0], old)
    np.testing.assert_array_equal(found[1], expected)
    np.testing.assert_array_equal(
        np.signbit(found[1])[expected == 0], np.signbit(expected)[expected == 0]
    )
    body = f"{place(space, name)}\nred.{space}.add.{name} [%w], %in1;\n{load} %out, [%w];"
    np.testing.assert_array_equal(run(body, old, value, output=FLOATS[name]), expected)


@pytest.mark.parametrize(
    "form",
    [
        f"{order}{scope}{space}"
        for order in ("", ".relaxed", ".acquire", ".release", ".acq_rel")
        for scope in ("", ".cta", ".gpu", ".sys")
        for space in ("", ".global", ".shared", ".shared::cta")
    ],
)
def test_orders_scopes_and_spaces(form):
    """None of them changes what is computed; without a space the address is a generic one."""
    old, value = np.arange(64, dtype=np.uint32), np.arange(64, dtype=np.uint32)[::-1] * 3
    for space in (
        PLACES if ".global" not in form and ".shared" not in form else [form.split(".")[-1]]
    ):
        memory = space.split("::")[0]
        generic = GENERIC[memory] if space in PLACES and space not in form else ""
        body = f"{place(memory, 'u32')}\n{generic}\natom{form}.add.u32 %out0, [%w], %in1;\n"
        body += "ld" + ("" if generic else f".{memory}") + ".u32 %out1, [%w];"
        found = run(body, old, value, output=[np.uint32, np.uint32])
        np.testing.assert_array_equal(found[0], old)
        np.testing.assert_array_equal(found[1], old + value)


# Every thread of the grid at one location; what each has got goes to a place of its own.
CROWD = """
.visible .entry crowd(.param .u64 where, .param .u64 got)
{{
  .reg .b64 %w, %g;
  .reg .b32 %t, %n, %b, %old;
  ld.param.u64 %w, [where];
  ld.param.u64 %g, [got];
  mov.u32 %t, %tid.x;
  mov.u32 %n, %ntid.x;
  mov.u32 %b, %ctaid.x;
  mad.lo.u32 %t, %b, %n, %t;
  mad.wide.u32 %g, %t, 4, %g;
  {atomic}
  st.global.u32 [%g], %old;
  ret;
}}
"""
COUNT = 200


def crowd(atomic, begin, seed=1):
    """What stood there when each came, and stands there in the end."""
    text = CROWD.format(atomic=atomic)
    where, got = np.array([begin], np.uint32), np.zeros(COUNT, np.uint32)
    with virtual_gpu.settings(seed=seed, slice=3):
        where, got = launch(text, where, got, name="crowd", block=(50,), grid=(4,))
    return got.tolist(), int(where[0])


@pytest.mark.parametrize("seed", range(3))
def test_each_of_many_finds_what_one_before_it_left(seed):
    got, end = crowd("atom.global.add.u32 %old, [%w], 1;", 7, seed)
    assert sorted(got) == list(range(7, 7 + COUNT))
    assert end == 7 + COUNT
    got, end = crowd("atom.global.exch.b32 %old, [%w], %t;", 999, seed)
    assert sorted([*got, end]) == [*range(COUNT), 999]
    assert got != sorted(got), "the order of the threads is any"


def test_many_count_round_and_round():
    got, end = crowd("atom.global.inc.u32 %old, [%w], 9;", 0)
    assert sorted(got) == sorted([*range(10)] * (COUNT // 10))
    assert end == 0
    got, end = crowd("atom.global.dec.u32 %old, [%w], 6;", 100)
    assert sorted(got)[-1] == 100, "what is beyond the bound begins anew there"
    assert sorted(got)[:-1] == sorted([6 - i % 7 for i in range(COUNT - 1)])
    assert end == 6 - (COUNT - 1) % 7


def test_one_of_many_swaps():
    got, end = crowd("add.u32 %n, %t, 1;\natom.global.cas.b32 %old, [%w], 0, %n;", 0)
    assert got.count(0) == 1
    assert end == got.index(0) + 1
    assert set(got) == {0, end}


def test_the_least_and_the_highest_of_many():
    got, end = crowd("add.u32 %n, %t, 5;\natom.global.min.u32 %old, [%w], %n;", 1000)
    assert end == 5
    assert max(got) == 1000
    got, end = crowd("atom.global.max.s32 %old, [%w], %t;", 2**32 - 5)
    assert end == COUNT - 1
    assert 2**32 - 5 in got


def test_bits_of_many():
    body = "and.b32 %n, %t, 31;\nshl.b32 %n, 1, %n;\nred.global.{}.b32 [%w], %n;\nmov.u32 %old, 0;"
    assert crowd(body.format("or"), 0)[1] == 2**32 - 1
    odd = sum(1 << i for i in range(32) if sum(t % 32 == i for t in range(COUNT)) % 2)
    assert crowd(body.format("xor"), 0)[1] == odd
    body = body.replace("red", "not.b32 %n, %n;\nred")
    assert crowd(body.format("and"), 2**32 - 1)[1] == 0


def test_a_sum_of_floats_of_many():
    """Each order of them gives this one: all sums are exact."""
    _, end = crowd("red.global.add.f32 [%w], 0f3F000000;\nmov.u32 %old, 0;", 0)
    assert np.uint32(end).view(np.float32) == math.fsum([0.5] * COUNT)


@pytest.mark.parametrize(
    ("form", "more"),
    [
        ("add.b32", ""),
        ("add.f16", ""),
        ("add.noftz.f16x2", ""),
        ("min.f32", ""),
        ("and.u32", ""),
        ("exch.f32", ""),
        ("exch.b16", ""),
        ("inc.s32", ""),
        ("dec.u64", ""),
        ("add.s64", ""),
        ("cas.b16", ", %in0"),
        ("cas.b32", ""),
        ("add.u32", ", %in0"),
        ("mul.u32", ""),
    ],
)
def test_unknown_forms_of_atomics(form, more):
    body = f"ld.param.u64 %a, [p_in0];\natom.global.{form} %out, [%a], %in0{more};"
    assert f"atom.global.{form}" in assert_refused(body, np.zeros(1, np.uint32))


LOCAL = """.visible .entry one(.param .u64 unused)
{{
  .local .align 8 .b8 own[8];
  .reg .b64 %w;
  .reg .b32 %v;
  mov.u64 %w, own;
  st.local.u32 [%w], 0;
  cvta.local.u64 %w, %w;
  {0}
  ret;
}}"""
GLOBAL = """.visible .entry one(.param .u64 where)
{{
  .reg .b64 %w;
  ld.param.u64 %w, [where];
  {0}
  ret;
}}"""


@pytest.mark.parametrize(
    ("text", "body", "error", "words"),
    [
        (LOCAL, "atom.add.u32 %v, [%w], 1;", "ILLEGAL_ADDRESS", "an atomic on local memory"),
        (LOCAL, "red.add.u32 [%w], 1;", "ILLEGAL_ADDRESS", "an atomic on local memory"),
        (GLOBAL, "red.global.add.u32 [%w+2], 1;", "MISALIGNED_ADDRESS", "not aligned"),
        (GLOBAL, "red.global.add.u64 [%w+4], 1;", "MISALIGNED_ADDRESS", "not aligned"),
        (GLOBAL, "red.global.add.u32 [%w+16], 1;", "ILLEGAL_ADDRESS", "out of bounds of global"),
        (GLOBAL, "red.global.add.u32 [%w+-4], 1;", "ILLEGAL_ADDRESS", "out of bounds of global"),
        (
            GLOBAL,
            "mov.u64 %w, 0;\nred.shared.add.u32 [%w], 1;",
            "ILLEGAL_ADDRESS",
            "out of bounds of shared",
        ),
    ],
)
def test_where_no_atomic_is(text, body, error, words):
    complaint = fault_of(text.format(body), np.zeros(4, np.uint32), error=error)
    assert words in complaint
    assert "in one, PTX line" in complaint
    assert complaint.endswith("thread 0")


def test_an_atomic_reads_what_somebody_has_to_have_written():
    text = """.visible .entry one(.param .u64 unused)
{
  .shared .align 4 .b8 place[4];
  red.shared.add.u32 [place], 1;
  ret;
}"""
    launch(text, np.zeros(1, np.uint32))
    (complaint,) = virtual_gpu.take_complaints()
    assert "shared memory is read before it is written" in complaint
