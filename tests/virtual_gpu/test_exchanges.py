"""What lanes of a warp do together, against PTX's own text of it, and lanes that are not there."""

import numpy as np
import pytest
import virtual_gpu
from assembler import assert_refused, fault_of, run
from references import wrapped

LANES = np.arange(32, dtype=np.uint32)
ALL = 0xFFFFFFFF


def shuffled(mode, values, b, c):
    """PTX's description of shfl.sync, line by line: values, and whether each is another lane's."""
    results, predicates = [], []
    for lane in range(32):
        bval, cval, mask = int(b[lane]) & 31, int(c[lane]) & 31, int(c[lane]) >> 8 & 31
        max_lane = (lane & mask) | (cval & ~mask & 31)
        min_lane = lane & mask
        if mode == "up":
            j = lane - bval
            p = j >= max_lane
        elif mode == "down":
            j = lane + bval
            p = j <= max_lane
        elif mode == "bfly":
            j = lane ^ bval
            p = j <= max_lane
        else:
            j = min_lane | (bval & ~mask & 31)
            p = j <= max_lane
        results.append(values[j if p else lane])
        predicates.append(p)
    return np.array(results), np.array(predicates)


MODES = ["up", "down", "bfly", "idx"]


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("mode", MODES)
def test_shuffles_in_segments(mode, width):
    """As CUDA's __shfl_sync and the like with this width."""
    values = LANES * 3 + 1
    c = np.full(32, (32 - width) << 8 | (0 if mode == "up" else 31), np.uint32)
    body = f"shfl.sync.{mode}.b32 %out0|%p, %in0, %in1, %in2, -1;\nselp.u32 %out1, 1, 0, %p;"
    for by in (0, 1, 2, 5, 15, 31, 33):
        b = np.full(32, by, np.uint32)
        expected = shuffled(mode, values, b, c)
        found = run(body, values, b, c, output=[np.uint32, np.uint32])
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        alone = body.replace("%out0|%p", "%out").splitlines()[0]
        np.testing.assert_array_equal(run(alone, values, b, c, output=np.uint32), expected[0])


@pytest.mark.parametrize("mode", MODES)
def test_shuffles_by_what_each_lane_says(mode):
    """Other lanes, clamps and segments in each lane, and bits that PTX does not look at."""
    rng = np.random.default_rng(len(mode))
    body = f"shfl.sync.{mode}.b32 %out0|%p, %in0, %in1, %in2, -1;\nselp.u32 %out1, 1, 0, %p;"
    for _ in range(20):
        values, b, c = rng.integers(0, 1 << 32, (3, 32), np.uint32)
        c[:16] = rng.choice([0, 31, 0x1C00, 0x181F, 0x1F1F], 16)
        results, predicates = shuffled(mode, values, b, c)
        found = run(body, values, b, c, output=[np.uint32, np.uint32])
        np.testing.assert_array_equal(found[0], results)
        np.testing.assert_array_equal(found[1], predicates)


def test_simple_shuffles():
    values = LANES * 3 + 1
    for body, expected in (
        ("shfl.sync.bfly.b32 %out, %in0, 4, 31, -1;", values[LANES ^ 4]),
        ("shfl.sync.up.b32 %out, %in0, 1, 0, -1;", values[np.maximum(LANES, 1) - 1]),
        ("shfl.sync.down.b32 %out, %in0, 2, 31, -1;", np.append(values[2:], values[-2:])),
        ("shfl.sync.idx.b32 %out, %in0, 5, 31, -1;", np.full(32, values[5])),
    ):
        np.testing.assert_array_equal(run(body, values, output=np.uint32), expected, body)


def test_a_shuffle_into_its_own_operand():
    body = "shfl.sync.bfly.b32 %in0, %in0, 1, 31, -1;\nmov.b32 %out, %in0;"
    np.testing.assert_array_equal(run(body, LANES, output=np.uint32), LANES ^ 1)


# The lanes of a group meet, each group at a mask of its own.
GROUPS = [0xFFFF, 0xF0F0F0F0, 0x00000101, 0x80000000, 0x0FFFFFF0]


@pytest.mark.parametrize("group", GROUPS)
def test_parts_of_a_warp(group):
    """Those of the group and the others, at one instruction with two masks, or at two."""
    of_lane = np.array([group if group >> i & 1 else ~group & ALL for i in range(32)], np.uint32)
    odd = [i for i in range(32) if i % 3 == 1]
    ballots = [sum(1 << i for i in odd) & int(mask) for mask in of_lane]
    together = "rem.u32 %out, %in0, 3;\nsetp.eq.u32 %p, %out, 1;\n"
    at_one = together + "vote.sync.ballot.b32 %out, %p, %in1;"
    np.testing.assert_array_equal(run(at_one, LANES, of_lane, output=np.uint32), ballots)
    at_two = f"""{together}setp.eq.u32 %q, %in1, {group};
@%q bra $group;
vote.sync.ballot.b32 %out, %p, {~group & ALL};
bra $end;
$group:
vote.sync.ballot.b32 %out, %p, {group};
$end:"""
    for split in (0, 2):
        with virtual_gpu.settings(split=split):
            found = run(at_two, LANES, of_lane, output=np.uint32)
        np.testing.assert_array_equal(found, ballots)


@pytest.mark.parametrize("mask", [ALL, *GROUPS])
@pytest.mark.parametrize("holding", [0, ALL, 0xFFFF, 0x00000001, 0xF0F0F0F0])
def test_votes(mask, holding):
    holds = np.array([holding >> i & 1 for i in range(32)], np.uint32)
    masks = np.array([mask if mask >> i & 1 else ~mask & ALL for i in range(32)], np.uint32)
    votes = [holding & int(each) for each in masks]
    expected = {
        "all": [vote == each for vote, each in zip(votes, masks, strict=True)],
        "any": [vote != 0 for vote in votes],
        "uni": [vote in (0, each) for vote, each in zip(votes, masks, strict=True)],
    }
    for mode, values in expected.items():
        body = f"setp.ne.u32 %p, %in0, 0;\nvote.sync.{mode}.pred %q, %p, %in1;\n"
        body += "selp.u32 %out, 1, 0, %q;"
        np.testing.assert_array_equal(run(body, holds, masks, output=np.uint32), values, mode)
    body = "setp.ne.u32 %p, %in0, 0;\nvote.sync.ballot.b32 %out, {}%p, %in1;"
    found = run(body.format(""), holds, masks, output=np.uint32)
    np.testing.assert_array_equal(found, votes)
    found = run(body.format("!"), holds, masks, output=np.uint32)
    np.testing.assert_array_equal(found, masks & ~np.array(votes, np.uint32))


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("mask", [ALL, *GROUPS])
def test_matches(mask, bits):
    """Of values that differ in the highest bit alone as well."""
    values = np.array([7, 7 | 1 << (bits - 1), 9], f"uint{bits}")[LANES * LANES % 11 % 3]
    masks = np.array([mask if mask >> i & 1 else ~mask & ALL for i in range(32)], np.uint32)
    same = [sum(1 << j for j in range(32) if values[j] == values[i]) for i in range(32)]
    expected = [each & int(lanes) for each, lanes in zip(same, masks, strict=True)]
    body = f"match.any.sync.b{bits} %out, %in0, %in1;"
    np.testing.assert_array_equal(run(body, values, masks, output=np.uint32), expected)
    body = f"match.all.sync.b{bits} %out0|%p, %in0, %in1;\nselp.u32 %out1, 1, 0, %p;"
    is_all = np.array(expected) == masks
    found = run(body, values, masks, output=[np.uint32, np.uint32])
    np.testing.assert_array_equal(found[0], np.where(is_all, masks, 0))
    np.testing.assert_array_equal(found[1], is_all)
    found = run(body, np.full_like(values, 5), masks, output=[np.uint32, np.uint32])
    np.testing.assert_array_equal(found[0], masks)
    np.testing.assert_array_equal(found[1], 1)


REDUCTIONS = {
    "add": sum,
    "min": min,
    "max": max,
    "and": lambda values: int(np.bitwise_and.reduce(values)),
    "or": lambda values: int(np.bitwise_or.reduce(values)),
    "xor": lambda values: int(np.bitwise_xor.reduce(values)),
}


@pytest.mark.parametrize("mask", [ALL, *GROUPS])
@pytest.mark.parametrize(
    ("operation", "name"),
    [(each, name) for each in ("add", "min", "max") for name in ("u32", "s32")]
    + [(each, "b32") for each in ("and", "or", "xor")],
)
def test_reductions(operation, name, mask):
    dtype = np.int32 if name == "s32" else np.uint32
    limits = np.iinfo(dtype)
    values = np.random.default_rng(0).integers(limits.min, limits.max, 32, dtype)
    if operation in ("and", "or"):  # each bit in all of them, in some, or in none
        values = values | 0xF0000 if operation == "and" else values & 0xF0F0F
    masks = np.array([mask if mask >> i & 1 else ~mask & ALL for i in range(32)], np.uint32)
    expected = []
    for lanes in masks:
        chosen = values[[lanes >> i & 1 == 1 for i in LANES]]
        expected.append(REDUCTIONS[operation](chosen.tolist()))
    found = run(f"redux.sync.{operation}.{name} %out, %in0, %in1;", values, masks, output=dtype)
    np.testing.assert_array_equal(found, wrapped(expected, dtype))


def test_the_lanes_that_are_here():
    body = """activemask.b32 %out0;
setp.lt.u32 %p, %in0, 5;
@%p bra $few;
activemask.b32 %out1;
bra $end;
$few:
activemask.b32 %out1;
$end:"""
    found = run(body, LANES[:20], output=[np.uint32, np.uint32])
    np.testing.assert_array_equal(found[0], (1 << 20) - 1)
    np.testing.assert_array_equal(found[1], np.where(LANES[:20] < 5, 31, (1 << 20) - 32))


def test_a_value_of_a_lane_that_does_not_take_part():
    body = """mov.u32 %out, 0;
setp.gt.u32 %p, %in0, 15;
@%p bra $end;
shfl.sync.idx.b32 %out, %in0, {}, 31, 0xffff;
$end:"""
    run(body.format(15), LANES, output=np.uint32)
    run(body.format(16), LANES, output=np.uint32)
    (complaint,) = virtual_gpu.take_complaints()
    assert "a value of a lane that does not take part in one, PTX line" in complaint


KERNEL = """.visible .entry one(.param .u64 unused)
{{
  .reg .b32 %v, %in0;
  .reg .pred %p;
  mov.u32 %in0, %tid.x;
  setp.eq.u32 %p, %in0, 3;
  {0}
  ret;
}}"""
ILLEGAL = r"ILLEGAL_INSTRUCTION \(715\)"


@pytest.mark.parametrize(
    ("body", "block", "words"),
    [
        ("@%p exit;\nbar.warp.sync -1;", 32, "a lane waits for one that has finished"),
        ("bar.warp.sync -1;", 20, "a lane waits for one that does not exist"),
        ("bar.warp.sync 0xffff;", 32, "a lane waits for others and does not name itself"),
        (
            "selp.b32 %v, 8, 0xffffffff, %p;\nbar.warp.sync %v;",
            32,
            "lanes that wait for each other name different lanes",
        ),
        ("@%p bar.warp.sync 8;", 32, "a barrier under a condition that lanes differ in"),
    ],
)
@pytest.mark.parametrize("exchange", ["bar.warp.sync ", "redux.sync.or.b32 %v, %in0, "])
def test_lanes_that_do_not_come(body, block, words, exchange):
    text = KERNEL.format(body.replace("bar.warp.sync ", exchange))
    complaint = fault_of(text, np.zeros(1), block=(block,), error=ILLEGAL)
    assert f"{words} in one, PTX line" in complaint


@pytest.mark.parametrize(
    "body",
    [
        "@%p bra $other;\nbar.warp.sync -1;\n$other:\nbar.sync 0;",
        "@%p bra $other;\nVOTE\nbra $end;\n$other:\nVOTE\n$end:",
    ],
)
def test_lanes_that_wait_elsewhere(body):
    """At the block's barrier; or at another vote, which the machine does not take for the same."""
    text = KERNEL.format(body.replace("VOTE", "vote.sync.any.pred %p, %p, -1;"))
    complaint = fault_of(text, np.zeros(1), block=(32,), error=r"LAUNCH_TIMEOUT \(702\)")
    assert "threads wait for others that do not come" in complaint
    assert "lanes fffffff7 of warp 0" in complaint
    assert "lanes 00000008 of warp 0" in complaint


@pytest.mark.parametrize(
    "body",
    [
        "redux.sync.add.b32 %out, %in0, -1;",
        "redux.sync.and.u32 %out, %in0, -1;",
        "shfl.sync.idx.u32 %out, %in0, 0, 31, -1;",
        "vote.all.pred %p, %p;",
        "shfl.idx.b32 %out, %in0, 0, 31;",
        "match.some.sync.b32 %out, %in0, -1;",
    ],
)
def test_unknown_exchanges(body):
    assert body.split()[0] in assert_refused(body, LANES)
