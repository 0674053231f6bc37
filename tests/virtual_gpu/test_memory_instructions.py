"""ld and st: vectors, signs, spaces, hints; addresses of one space in another."""

from ctypes import c_float, c_int8, c_uint, c_uint8, c_uint16

import numpy as np
import pytest
import virtual_gpu
from assembler import NEWER, assert_refused, driver, launch, run
from cuda_driver import HEADER

# Loads an element of %f, brings it through another memory, and stores it at %t.
THROUGH = """.visible .entry one(.param .u64 from, .param .u64 to)
{{
  .shared .align 16 .b8 everyones[1024];
  .local .align 16 .b8 own[16];
  .reg .b64 %f, %t, %w;
  .reg .b32 %i;
  .reg .{register} %v<{count}>, %u<{count}>;
  mov.u32 %i, %tid.x;
  ld.param.u64 %f, [from];
  ld.param.u64 %t, [to];
  mad.wide.u32 %f, %i, {bytes}, %f;
  mad.wide.u32 %t, %i, {bytes}, %t;
  {place}
  ld.global{form} {v}, [%f];
  st{space}{form} [%w], {v};
  ld{space}{form} {u}, [%w];
  st.global{form} [%t], {u};
  ret;
}}"""
SHARED = "mov.u64 %w, everyones;\nmad.wide.u32 %w, %i, {bytes}, %w;"
WAYS = {
    ".shared": SHARED,
    ".shared::cta": SHARED,
    ".local": "mov.u64 %w, own;",
    "generic of shared": SHARED + "\ncvta.shared.u64 %w, %w;",
    "generic of local": "mov.u64 %w, own;\ncvta.local.u64 %w, %w;",
    "generic of global": "cvta.global.u64 %w, %t;",
    ".global": "mov.u64 %w, %t;",
}
KINDS = {1: "b16", 2: "b16", 4: "b32", 8: "b64"}


NAMES = [f"{kind}{bits}" for kind in "bus" for bits in (8, 16, 32, 64)] + ["f32", "f64"]
# Up to 16 bytes.
VECTORS = [(name, count) for name in NAMES for count in (1, 2, 4) if int(name[1:]) * count <= 128]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "count"), VECTORS)
def test_vectors_through_each_memory(name, count, way):
    size = int(name[1:]) // 8
    values = np.random.default_rng(size).integers(0, 256, 60 * size * count, np.uint8)

    def several(letter):
        names = ", ".join(f"%{letter}{i}" for i in range(count))
        return names if count == 1 else f"{{{names}}}"

    text = THROUGH.format(
        register=name if name[0] == "f" else KINDS[size],
        count=count,
        bytes=size * count,
        place=WAYS[way].format(bytes=size * count),
        space=way if way.startswith(".") else "",
        form=(f".v{count}" if count > 1 else "") + f".{name}",
        v=several("v"),
        u=several("u"),
    )
    _, found = launch(text, values, np.zeros_like(values), block=(60,))
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("kind", "usb")
def test_a_sign_reaches_as_far_as_the_register(kind, bits):
    """That of `.s`, and zeros otherwise."""
    a = np.arange(-200, 200, 7).astype(f"int{bits}")
    wide = {"u": np.uint64, "b": np.uint64, "s": np.int64}[kind]
    expected = a.view(f"uint{bits}").astype(wide) if kind != "s" else a.astype(wide)
    address = f"ld.param.u64 %a, [p_in0];\nmad.wide.u32 %a, %i, {bits // 8}, %a;\n"
    body = f"{address}ld.global.{kind}{bits} %out, [%a];"
    np.testing.assert_array_equal(run(body, a, output=wide), expected)


def test_a_store_takes_the_low_bytes():
    a = np.arange(0x11223344, 0x11223344 + 16 * 0x01010101, 0x01010101, dtype=np.uint32)
    body = """ld.param.u64 %a, [p_in0];
mad.wide.u32 %a, %i, 4, %a;
st.global.u32 [%a], 0;
st.global.u8 [%a+1], %in0;
st.global.s16 [%a+2], %in0;
ld.global.u32 %out, [%a];"""
    expected = (a & 0xFF) << 8 | (a & 0xFFFF) << 16
    np.testing.assert_array_equal(run(body, a, output=np.uint32), expected)


def test_what_a_vector_load_leaves_out():
    a = np.arange(16, dtype=np.uint32)
    body = """ld.param.u64 %a, [p_in0];
and.b32 %i, %i, 0xfffffffc;
mad.wide.u32 %a, %i, 4, %a;
ld.global.v4.u32 {_, _, %out, _}, [%a];"""
    np.testing.assert_array_equal(run(body, a, output=np.uint32), a // 4 * 4 + 2)


def test_parameters():
    """Of each width, with signs, as vectors, by a register, and where each one lies."""
    text = """.visible .entry one(.param .u64 to, .param .s8 a, .param .u16 b, .param .f32 c,
                      .param .align 16 .b8 d[24], .param .u8 e)
{
  .reg .b64 %t, %w;
  .reg .b32 %v<4>;
  .reg .f32 %f;
  ld.param.u64 %t, [to];
  ld.param.s8 %v0, [a];
  st.global.u32 [%t], %v0;
  ld.param.u16 %v0, [b];
  st.global.u32 [%t+4], %v0;
  ld.param.f32 %f, [c];
  st.global.f32 [%t+8], %f;
  ld.param.v4.u32 {%v0, %v1, %v2, %v3}, [d];
  st.global.v4.u32 [%t+16], {%v0, %v1, %v2, %v3};
  mov.b64 %w, d;
  ld.param.v2.u32 {%v0, %v1}, [%w+16];
  st.global.v2.u32 [%t+32], {%v0, %v1};
  ld.param.u8 %v0, [e];
  st.global.u32 [%t+12], %v0;
  ret;
}"""
    words = (c_uint * 6)(*range(100, 106))
    to = driver().array(np.zeros(12, np.uint32))
    function = driver().function(text, "one")
    arguments = c_int8(-2), c_uint16(65535), c_float(1.5), words, c_uint8(255)
    driver().launch(function, to, *arguments)
    found = driver().values(to, 10)
    expected = [2**32 - 2, 65535, 0x3FC00000, 255, 100, 101, 102, 103, 104, 105]
    np.testing.assert_array_equal(found, expected)


def test_what_only_newer_devices_have():
    """Vectors of 32 bytes, and parameters by their longer name."""
    header = HEADER.replace("7.8", "8.8").replace("sm_80", "sm_100")
    a = np.arange(64, dtype=np.uint32) * 3
    body = """ld.param::entry.u64 %a, [p_in0];
and.b32 %i, %i, 0xfffffff8;
mad.wide.u32 %a, %i, 4, %a;
ld.global.v8.u32 {%out7, %out6, %out5, %out4, %out3, %out2, %out1, %out0}, [%a];"""
    found = run(body, a, output=[np.uint32] * 8, header=header)
    for i, each in enumerate(found):
        np.testing.assert_array_equal(each, (np.arange(64) // 8 * 8 + 7 - i) * 3)


def test_variables_of_a_module():
    text = """.const .align 8 .u16 table[4] = {10, 20, 30, 40};
.global .align 4 .u32 place[2];
.global .align 8 .u64 pointer = place;
.visible .entry one(.param .u64 to)
{
  .reg .b64 %t, %w;
  .reg .b32 %v, %i;
  mov.u32 %i, %tid.x;
  ld.param.u64 %t, [to];
  mad.wide.u32 %t, %i, 4, %t;
  mov.u64 %w, table;
  mad.wide.u32 %w, %i, 2, %w;
  ld.const.u16 %v, [%w];
  ld.global.u64 %w, [pointer];
  st.global.u32 [%w+4], 7;
  ld.global.u32 %i, [place+4];
  add.u32 %v, %v, %i;
  st.global.u32 [%t], %v;
  ret;
}"""
    with virtual_gpu.settings(races=0):  # all write the same
        (found,) = launch(text, np.zeros(4, np.uint32), block=(4,))
    np.testing.assert_array_equal(found, [17, 27, 37, 47])


LOADS = ["ld.global.nc", "ld.volatile.global", "ld.relaxed.cta.global", "ld.acquire.sys.global"]
LOADS += ["ld.weak.global", "ldu.global", "ld.global.nc.L1::no_allocate", "ld.volatile"]
LOADS += ["ld.global.nc.L1::evict_last.L2::256B", "ld.global.L1::evict_first.L2::64B"]
LOADS += ["ld.global.L2::128B", "ld.global.L1::evict_normal", "ld.global.L1::evict_unchanged"]
LOADS += [f"ld.global.{hint}" for hint in ("ca", "cg", "cs", "lu", "cv")] + [
    "ld.ca",
    "ld.global.nc.cg",
]
STORES = ["st.volatile.global", "st.relaxed.gpu.global", "st.release.cta.global", "st.weak.global"]
STORES += [f"st.global.{hint}" for hint in ("wb", "cg", "cs", "wt")] + ["st.global.L1::no_allocate"]


@pytest.mark.parametrize("form", [*LOADS, *STORES])
def test_what_only_hints_or_orders_changes_no_value(form):
    a = np.arange(40, dtype=np.uint32) * 7
    body = "ld.param.u64 %a, [p_in0];\nmad.wide.u32 %a, %i, 4, %a;\n"
    if form in LOADS:
        body += f"{form}.u32 %out, [%a];"
        np.testing.assert_array_equal(run(body, a, output=np.uint32), a)
    else:
        body += f"add.u32 %in0, %in0, 1;\n{form}.u32 [%a], %in0;\nld.global.u32 %out, [%a];"
        np.testing.assert_array_equal(run(body, a, output=np.uint32), a + 1)


def test_what_does_nothing_that_a_value_shows():
    body = """ld.param.u64 %a, [p_in0];
prefetch.global.L1 [%a];
prefetch.global.L2 [%a];
prefetch.L1 [%a];
nanosleep.u32 20;
mov.b32 %out, %in0;"""
    a = np.arange(4, dtype=np.uint32)
    np.testing.assert_array_equal(run(body, a, output=np.uint32), a)


def test_the_cache_that_is_not_coherent():
    """What a launch has written, it must not read past the caches that know of it."""
    body = """ld.param.u64 %a, [p_in0];
mad.wide.u32 %a, %i, 4, %a;
st.global.u32 [%a], 5;
ld.global.nc.u32 %out, [%a];"""
    run(body, np.zeros(4, np.uint32), output=np.uint32)
    (complaint,) = virtual_gpu.take_complaints()
    assert "past the coherent caches" in complaint


@pytest.mark.parametrize(
    "form", ["ld.acquire.gpu.global.v2.u32 {%out, %in0}", "ld.relaxed.cluster.global.u32 %out"]
)
def test_unknown_forms_of_loads(form):
    body = f"ld.param.u64 %a, [p_in0];\n{form}, [%a];"
    assert form.split()[0] in assert_refused(body, np.zeros(1, np.uint32), header=NEWER)


def test_addresses_and_their_spaces():
    """An address is one in its own space; in others' windows it is not."""
    text = """.const .align 4 .u32 fixed = 3;
.visible .entry one(.param .u64 to)
{
  .shared .align 4 .b8 everyones[4];
  .local .align 4 .b8 own[4];
  .reg .b64 %t, %w, %x;
  .reg .b32 %v;
  .reg .pred %p;
  ld.param.u64 %t, [to];
"""
    names = {"global": "%t", "shared": "everyones", "local": "own"}
    for i, (space, variable) in enumerate(names.items()):
        text += f"mov.u64 %w, {variable};\ncvta.{space}.u64 %x, %w;\n"
        for j, other in enumerate(names):
            text += f"isspacep.{other} %p, %x;\nselp.u32 %v, 1, 0, %p;\n"
            text += f"st.global.u32 [%t+{4 * (4 * i + j)}], %v;\n"
        text += f"cvta.to.{space}.u64 %x, %x;\nsetp.eq.u64 %p, %x, %w;\nselp.u32 %v, 1, 0, %p;\n"
        text += f"st.global.u32 [%t+{4 * (4 * i + 3)}], %v;\n"
    text += """mov.u64 %w, fixed;
  cvta.const.u64 %x, %w;
  ld.u32 %v, [%x];
  st.global.u32 [%t+48], %v;
  ret;
}"""
    (found,) = launch(text, np.zeros(13, np.uint32))
    expected = np.hstack([np.eye(3), np.ones((3, 1))]).astype(np.uint32)
    np.testing.assert_array_equal(found, [*expected.ravel(), 3])


@pytest.mark.parametrize("form", ["cvta.param.u64", "cvta.to.param.u64", "isspacep.const"])
def test_spaces_without_a_window(form):
    """The machine has none of constants and parameters, and does not pretend to."""
    to = "%p" if form.startswith("isspacep") else "%a"
    assert form in assert_refused(f"{form} {to}, %a;\nmov.u32 %out, 0;", np.zeros(1, np.uint32))
