"""The ends of each memory, what is not aligned, and what nobody has written."""

from ctypes import c_byte, c_size_t, c_uint64

import numpy as np
import pytest
import virtual_gpu
from assembler import fault_of, launch
from cuda_driver import CudaError, complaint_of

# An access to [%w] of one of the memories, of 42 bytes each, to which %w points at first.
AT = """.visible .entry one(.param .u64 where)
{{
  .shared .align 16 .b8 everyones[42];
  .local .align 16 .b8 own[42];
  .reg .b64 %w, %d<2>;
  .reg .b32 %v<4>;
  {point}
  {access}
  ret;
}}"""
POINTS = {
    "global": "ld.param.u64 %w, [where];",
    "shared": "mov.u64 %w, everyones;",
    "local": "mov.u64 %w, own;",
}
ACCESSES = {
    1: ("u8 %v0", "%v0"),
    2: ("u16 %v0", "%v0"),
    4: ("u32 %v0", "%v0"),
    8: ("u64 %d0", "%d0"),
    16: ("v4.u32 {%v0, %v1, %v2, %v3}", "{%v0, %v1, %v2, %v3}"),
}


def at(space, offset, size, is_store, is_generic):
    form, operand = ACCESSES[size]
    kind = form.split()[0]
    named = "" if is_generic else f".{space}"
    point = POINTS[space] + (f"\ncvta.{space}.u64 %w, %w;" if is_generic else "")
    address = f"[%w+{offset}]"
    access = f"st{named}.{kind} {address}, {operand};"
    if not is_store:
        access = f"ld{named}.{kind} {operand}, {address};"
    return AT.format(point=point, access=access)


@pytest.mark.parametrize("is_generic", [False, True])
@pytest.mark.parametrize("is_store", [False, True])
@pytest.mark.parametrize("size", ACCESSES)
@pytest.mark.parametrize("space", POINTS)
def test_the_ends_of_each_memory(space, size, is_store, is_generic):
    last = (42 - size) // size * size
    with virtual_gpu.settings(initialisation=0):
        for offset in (0, last):
            launch(at(space, offset, size, is_store, is_generic), np.zeros(42, np.uint8))
        for offset in (last + size, -size, 1 << 20):
            text = at(space, offset, size, is_store, is_generic)
            complaint = fault_of(text, np.zeros(42, np.uint8), error=r"ILLEGAL_ADDRESS \(700\)")
            assert f"an access to {size} bytes at" in complaint
            # What lies before local memory is in no window.
            memory = "global" if (is_generic, space, offset) == (True, "local", -size) else space
            assert f"out of bounds of {memory} memory in one, PTX line" in complaint


@pytest.mark.parametrize("is_generic", [False, True])
@pytest.mark.parametrize("is_store", [False, True])
@pytest.mark.parametrize("size", [2, 4, 8, 16])
@pytest.mark.parametrize("space", POINTS)
def test_alignment(space, size, is_store, is_generic):
    """An address has to be a multiple of all that is accessed, of a vector too."""
    for offset in (1, size // 2, size + 1):
        text = at(space, offset, size, is_store, is_generic)
        complaint = fault_of(text, np.zeros(42, np.uint8), error=r"MISALIGNED_ADDRESS \(716\)")
        assert f"an access to {size} bytes at" in complaint
        assert "which is not aligned in one, PTX line" in complaint


@pytest.mark.parametrize("address", [0, 8, 2**64 - 8, 2**63, 2**47])
@pytest.mark.parametrize("access", ["ld.global.u64 %d0, [%w];", "st.u64 [%w], %d0;"])
def test_addresses_that_are_nowhere(address, access):
    """Null, what is next to it, and what is so far up that its end is 0 again."""
    point = f"ld.param.u64 %w, [where];\nld.global.u8 %v0, [%w];\nmov.u64 %w, {address};"
    text = AT.format(point=point, access=access)
    complaint = fault_of(text, np.zeros(42, np.uint8), error="ILLEGAL_ADDRESS")
    assert "out of bounds of global memory" in complaint


@pytest.mark.parametrize(
    ("variable", "kind", "offset"),
    [
        ("where", "u64 %d0", -8),
        ("where", "u8 %v0", -1),
        ("given", "u8 %v0", 42),
        ("given", "u64 %d0", 40),
    ],
)
def test_the_ends_of_the_parameters(driver, variable, kind, offset):
    access = f"mov.b64 %w, {variable};\nld.param.{kind}, [%w+{offset}];"
    text = AT.format(point="", access=access)
    text = text.replace("where)", "where, .param .align 8 .b8 given[42])")
    driver.launch(driver.function(text, "one"), c_uint64(0), (c_byte * 42)())
    with pytest.raises(CudaError, match="ILLEGAL_ADDRESS"):
        driver.cuCtxSynchronize()
    assert "out of bounds of parameter memory" in complaint_of("an access to")


def test_dynamic_shared_memory_has_its_end():
    text = """.extern .shared .align 8 .b8 dynamic[];
.visible .entry one(.param .u64 to)
{
  .shared .align 4 .b8 everyones[4];
  .reg .b64 %w;
  mov.u64 %w, dynamic;
  st.shared.u32 [everyones], 1;
  st.shared.u32 [%w+28], 1;
  st.shared.u32 [%w+OFFSET], 1;
  ret;
}"""
    launch(text.replace("OFFSET", "0"), np.zeros(1), shared=32)
    complaint = fault_of(text.replace("OFFSET", "32"), np.zeros(1), shared=32, error="ILLEGAL")
    assert "out of bounds of shared memory" in complaint


@pytest.mark.parametrize("written", ["", "st.{space}.u16 [%w+4], %v0;"])
@pytest.mark.parametrize("space", POINTS)
def test_reads_of_what_nobody_wrote(driver, space, written):
    """Part of it is as bad as all; the kernel goes on, and it is said."""
    access = f"mov.u32 %v0, 1;\n{written.format(space=space)}\nld.{space}.u32 %v1, [%w+4];"
    text = AT.format(point=POINTS[space], access=access)
    nothing = driver.make("cuMemAlloc_v2", c_size_t(42))
    driver.launch(driver.function(text, "one"), nothing)
    driver.cuCtxSynchronize()
    (complaint,) = virtual_gpu.take_complaints()
    assert f"{space} memory is read before it is written in one, PTX line" in complaint
    whole = f"st.{space}.u16 [%w+4], %v0;\nst.{space}.u16 [%w+6], %v0;"
    text = text.replace(access, f"mov.u32 %v0, 1;\n{whole}\nld.{space}.u32 %v1, [%w+4];")
    driver.launch(driver.function(text, "one"), nothing)
    driver.cuCtxSynchronize()
    driver.cuMemFree_v2(nothing)
