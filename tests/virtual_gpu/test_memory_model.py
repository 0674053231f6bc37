"""Who may see what: messages between blocks, with their fences and without, in weak memory."""

import numpy as np
import pytest
import virtual_gpu
from assembler import driver

# Block 0 writes 7 and then says so; block 1 waits until it is said, and reads.
MESSAGE = """
.visible .entry message(.param .u64 data, .param .u64 flag, .param .u64 result)
{{
  .reg .b64 %d, %f, %r;
  .reg .b32 %b, %v;
  .reg .pred %p;
  ld.param.u64 %d, [data];
  ld.param.u64 %f, [flag];
  ld.param.u64 %r, [result];
  mov.u32 %b, %ctaid.x;
  setp.ne.u32 %p, %b, 0;
  @%p bra $reader;
  st.global.u32 [%d], 7;
  {release}
  {say}
  ret;
$reader:
  {hear}
  setp.eq.u32 %p, %v, 0;
  @%p bra $reader;
  {acquire}
  ld.global.u32 %v, [%d];
  st.global.u32 [%r], %v;
  ret;
}}
"""
SAY, HEAR = "atom.global.exch.b32 %v, [%f], 1;", "ld.relaxed.gpu.global.u32 %v, [%f];"
FENCE = "membar.gl;"


def heard(release=FENCE, acquire=FENCE, say=SAY, hear=HEAR, seeds=range(20)):
    """What block 1 has read in each schedule, and what was complained of."""
    text = MESSAGE.format(release=release, acquire=acquire, say=say, hear=hear)
    function = driver().function(text, "message")
    results, complaints = set(), []
    for seed in seeds:
        words = [driver().array(np.zeros(1, np.uint32)) for _ in range(3)]
        with virtual_gpu.settings(weak=1, seed=seed, slice=5, steps=10):
            driver().launch(function, *words, grid=(2,))
            results.add(int(driver().values(words[2], 1)[0]))
        complaints += virtual_gpu.take_complaints()
    return results, complaints


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"release": "fence.acq_rel.gpu;", "acquire": "fence.sc.sys;"},
        {"release": "", "say": "st.release.gpu.global.u32 [%f], 1;"},
        {"acquire": "", "hear": "ld.acquire.gpu.global.u32 %v, [%f];"},
        {"release": "", "say": "atom.release.gpu.global.exch.b32 %v, [%f], 1;"},
    ],
)
def test_a_message_arrives(how):
    assert heard(**how) == ({7}, [])


@pytest.mark.parametrize(
    "how",
    [{"release": ""}, {"acquire": ""}, {"release": "membar.cta;"}, {"acquire": "fence.sc.cta;"}],
)
def test_without_a_fence_what_was_written_may_not_be_seen(how):
    results, complaints = heard(**how)
    assert results == {0, 7}
    assert complaints
    assert all("race in global memory" in one for one in complaints)


# Each lane writes a word of shared memory and reads its neighbour's.
EXCHANGE = """
.visible .entry exchange(.param .u64 result)
{{
  .shared .align 4 .b8 words[256];
  .reg .b64 %r, %o;
  .reg .b32 %t, %a, %n, %v;
  ld.param.u64 %r, [result];
  mov.u32 %t, %tid.x;
  mov.u32 %a, words;
  mad.lo.s32 %n, %t, 4, %a;
  st.shared.u32 [%n], %t;
  {between}
  xor.b32 %n, %t, 1;
  mad.lo.s32 %n, %n, 4, %a;
  ld.shared.u32 %v, [%n];
  mul.wide.u32 %o, %t, 4;
  add.s64 %r, %r, %o;
  st.global.u32 [%r], %v;
  ret;
}}
"""


@pytest.mark.parametrize(
    ("between", "is_ordered"),
    [
        ("bar.sync 0;", True),
        ("bar.warp.sync -1;", True),
        ("shfl.sync.idx.b32 %v, %t, 0, 31, -1;", False),
        ("membar.cta;", False),
        ("", False),
    ],
)
def test_what_orders_shared_memory(between, is_ordered):
    function = driver().function(EXCHANGE.format(between=between), "exchange")
    result = driver().array(np.zeros(64, np.uint32))
    driver().launch(function, result, block=(64,))
    found = driver().values(result, 64)
    complaints = virtual_gpu.take_complaints()
    assert bool(complaints) != is_ordered
    assert all("race in shared memory" in one or "before it is" in one for one in complaints)
    if is_ordered:
        np.testing.assert_array_equal(found, np.arange(64) ^ 1)


# Of four words of shared memory, one is written; all are loaded.
MORE_THAN_NEEDED = """
.visible .entry more(.param .u64 result)
{{
  .shared .align 16 .b8 words[16];
  .reg .b64 %r;
  .reg .b32 %v<4>;
  ld.param.u64 %r, [result];
  st.shared.u32 [words+4], 7;
  {pragma}
  ld.shared.v4.u32 {{%v0, %v1, %v2, %v3}}, [words];
  st.global.u32 [%r], %v1;
  ret;
}}
"""


@pytest.mark.parametrize(
    ("pragma", "is_fine"),
    [
        ('.pragma "used_bytes_mask 240";', True),
        ('.pragma "used_bytes_mask 255";', False),
        ("", False),
    ],
)
def test_a_load_may_say_what_it_needs(pragma, is_fine):
    function = driver().function(MORE_THAN_NEEDED.format(pragma=pragma), "more")
    result = driver().array(np.zeros(1, np.uint32))
    driver().launch(function, result)
    assert driver().values(result, 1) == [7]
    assert (virtual_gpu.take_complaints() == []) == is_fine
