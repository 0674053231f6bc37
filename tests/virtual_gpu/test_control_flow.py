"""Branches, ends and barriers: where threads go on, and how a launch ends that cannot."""

import numpy as np
import pytest
import virtual_gpu
from assembler import NEWER, fault_of, launch, run

SPLITS = pytest.mark.parametrize("split", [0, 3])


@SPLITS
def test_lanes_part_and_meet_again(split):
    values = np.arange(100, dtype=np.uint32)
    body = """mov.u32 %out, 0;
$loop:
add.u32 %out, %out, %in0;
setp.gt.u32 %p, %in0, 0;
@%p sub.u32 %in0, %in0, 1;
@%p bra $loop;"""
    with virtual_gpu.settings(split=split):
        found = run(body, values, output=np.uint32)
    np.testing.assert_array_equal(found, values * (values + 1) // 2)


TABLE = """mov.u32 %out, 0;
$table: .branchtargets $a, $b, $c, $b;
{guard}brx.idx %in0, $table;
add.u32 %out, %out, 1000;
$a:
add.u32 %out, %out, 1;
bra $end;
$b:
add.u32 %out, %out, 10;
bra $end;
$c:
add.u32 %out, %out, 100;
bra $a;
$end:"""


@SPLITS
def test_branches_by_a_table(split):
    which = np.random.default_rng(0).integers(0, 4, 70, np.uint32)
    with virtual_gpu.settings(split=split):
        found = run(TABLE.format(guard=""), which, output=np.uint32)
    np.testing.assert_array_equal(found, np.array([1, 10, 101, 10])[which])
    guard = "setp.lt.u32 %p, %i, 20;\n@!%p "
    with virtual_gpu.settings(split=split):
        found = run(TABLE.format(guard=guard), which, output=np.uint32)
    expected = np.where(np.arange(70) < 20, 1001, np.array([1, 10, 101, 10])[which])
    np.testing.assert_array_equal(found, expected)
    for same in range(4):
        found = run(TABLE.format(guard=""), np.full(32, same, np.uint32), output=np.uint32)
        np.testing.assert_array_equal(found, [1, 10, 101, 10][same])


def test_a_branch_beyond_its_table():
    text = """.visible .entry one(.param .u64 unused)
{
  .reg .b32 %i;
  mov.u32 %i, %tid.x;
  table: .branchtargets here, here;
  brx.idx %i, table;
here:
  ret;
}"""
    complaint = fault_of(text, np.zeros(1), block=(3,), error="ILLEGAL_INSTRUCTION")
    assert "a branch beyond the end of its table in one, PTX line" in complaint
    assert complaint.endswith("thread 2")


@pytest.mark.parametrize("guard", ["@%p ", "@!%p "])
def test_what_a_guard_keeps_from_being_done(guard):
    """Of arithmetic, loads, stores, atomics, branches and ends."""
    body = f"""mov.u32 %out, 0;
ld.param.u64 %a, [p_in0];
mad.wide.u32 %a, %i, 4, %a;
and.b32 %i, %i, 1;
setp.eq.u32 %p, %i, 0;
{guard}add.u32 %out, %out, 1;
{guard}ld.global.u32 %in0, [%a];
add.u32 %out, %out, %in0;
{guard}st.global.u32 [%a], %out;
{guard}red.global.add.u32 [%a], 5;
ld.global.u32 %out, [%a];
{guard}bra $end;
add.u32 %out, %out, 100;
$end:"""
    values = np.arange(64, dtype=np.uint32) * 1000
    is_done = (np.arange(64) % 2 == 0) == (guard == "@%p ")
    expected = np.where(is_done, values + 1 + 5, values + 100)
    np.testing.assert_array_equal(run(body, values, output=np.uint32), expected)


@pytest.mark.parametrize("end", ["exit", "ret", "ret.uni"])
def test_who_ends_does_no_more(end):
    body = f"""ld.param.u64 %a, [p_out];
mad.wide.u32 %a, %i, 4, %a;
st.global.u32 [%a], 7;
setp.lt.u32 %p, %i, 40;
@%p {end};
mov.u32 %out, 9;"""
    found = run(body, np.zeros(70, np.uint32), output=np.uint32)
    np.testing.assert_array_equal(found, np.where(np.arange(70) < 40, 7, 9))


BLOCK = """.visible .entry one(.param .u64 result)
{{
  .shared .align 4 .b8 words[512];
  .reg .b64 %r;
  .reg .b32 %t, %w, %v;
  .reg .pred %p, %q;
  ld.param.u64 %r, [result];
  mov.u32 %t, %tid.x;
  mad.wide.u32 %r, %t, 4, %r;
  mov.u32 %w, words;
  mad.lo.u32 %w, %t, 4, %w;
  {0}
  ret;
}}"""


@pytest.mark.parametrize("barrier", ["bar.sync 0", "barrier.sync.aligned 0", "bar.cta.sync 0"])
@pytest.mark.parametrize("leave", ["setp.lt.u32 %p, %t, 0;", "setp.ge.u32 %p, %t, 64;"])
def test_a_barrier_waits_for_those_that_have_not_ended(barrier, leave):
    """The rest of the block exchanges words across it, whether whole warps have left or nobody."""
    text = BLOCK.format(f"""{leave}
@%p exit;
st.shared.u32 [%w], %t;
{barrier};
xor.b32 %v, %t, 32;
sub.u32 %v, %v, %t;
mad.lo.s32 %w, %v, 4, %w;
ld.shared.u32 %v, [%w];
st.global.u32 [%r], %v;""")
    for seed in range(3):
        with virtual_gpu.settings(seed=seed, slice=3):
            (found,) = launch(text, np.full(128, 999, np.uint32), block=(128,))
        threads = np.arange(128)
        expected = threads ^ 32 if "lt" in leave else np.where(threads < 64, threads ^ 32, 999)
        np.testing.assert_array_equal(found, expected)


# Half of warp 0 waits for its other half, which waits for the block as warp 1 does.
STUCK = """setp.lt.u32 %p, %t, 16;
@%p bra $half;
bar.sync 0;
bra $end;
$half:
bar.warp.sync -1;
$end:"""


def test_lanes_of_a_warp_that_have_ended_are_not_waited_for():
    text = BLOCK.format("""and.b32 %v, %t, 1;
setp.eq.u32 %p, %v, 0;
@%p exit;
bar.sync 0;
st.global.u32 [%r], %t;""")
    (found,) = launch(text, np.zeros(64, np.uint32), block=(64,))
    np.testing.assert_array_equal(found, np.where(np.arange(64) % 2, np.arange(64), 0))


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (
            STUCK,
            "LAUNCH_TIMEOUT",
            "threads wait for others that do not come",
        ),
        (
            "setp.lt.u32 %p, %t, 7;\n@%p bra $other;\nbar.sync 0;\nret;\n$other:\nbar.sync 0;",
            "ILLEGAL_INSTRUCTION",
            "lanes of a warp are at different barriers",
        ),
        (
            "setp.lt.u32 %p, %t, 7;\n@%p bar.sync 0;",
            "ILLEGAL_INSTRUCTION",
            "a barrier under a condition that lanes differ in",
        ),
        ("bar.sync 1;", "ILLEGAL_INSTRUCTION", "a barrier other than the first is not known"),
        ("mov.u32 %v, 5;\nbar.sync %v;", "ILLEGAL_INSTRUCTION", "a barrier other than the first"),
        ("trap;", r"LAUNCH_FAILED \(719\)", "trap"),
        ("setp.eq.u32 %p, %t, 5;\n@%p trap;", "LAUNCH_FAILED", "trap"),
        ("$loop:\nbra $loop;", "LAUNCH_TIMEOUT", "takes more instructions than it may"),
        (
            "$loop:\nadd.u32 %v, %v, 1;\nbar.sync 0;\nbra $loop;",
            "LAUNCH_TIMEOUT",
            "takes more instructions than it may",
        ),
    ],
)
def test_launches_that_do_not_end_well(body, error, words):
    with virtual_gpu.settings(steps=1):
        complaint = fault_of(BLOCK.format(body), np.zeros(64, np.uint32), block=(64,), error=error)
    assert words in complaint
    assert " in one" in complaint
    if body.endswith("@%p trap;"):
        assert complaint.endswith("thread 5")


def test_a_trap_under_a_condition_that_nobody_has():
    body = "setp.gt.u32 %p, %in0, 99;\n@%p trap;\nmov.u32 %out, %in0;"
    values = np.arange(40, dtype=np.uint32)
    np.testing.assert_array_equal(run(body, values, output=np.uint32), values)


@SPLITS
def test_a_barrier_of_lanes_is_reached_from_different_places(split):
    """PTX: they have executed *a* bar.warp.sync with the same mask; words go across it."""
    text = BLOCK.format("""st.shared.u32 [%w], %t;
setp.lt.u32 %p, %t, 16;
@%p bra $low;
bar.warp.sync -1;
add.u32 %v, %w, -64;
bra $read;
$low:
add.u32 %v, %w, 64;
bar.warp.sync 0xffffffff;
$read:
ld.shared.u32 %v, [%v];
st.global.u32 [%r], %v;""")
    for seed in range(5):
        with virtual_gpu.settings(split=split, seed=seed):
            (found,) = launch(text, np.zeros(32, np.uint32), block=(32,))
        np.testing.assert_array_equal(found, np.arange(32) ^ 16)


def test_barriers_of_lanes_that_come_a_different_number_of_times():
    """Half a warp meets at its own mask three times, the other half once at another one."""
    text = BLOCK.format("""mov.u32 %v, 0;
setp.lt.u32 %p, %t, 16;
@%p bra $low;
bar.warp.sync 0xffff0000;
bra $end;
$low:
bar.warp.sync 0xffff;
add.u32 %v, %v, 1;
setp.lt.u32 %q, %v, 3;
@%q bra $low;
$end:
bar.warp.sync -1;
st.global.u32 [%r], %v;""")
    (found,) = launch(text, np.ones(32, np.uint32), block=(32,))
    np.testing.assert_array_equal(found, np.where(np.arange(32) < 16, 3, 0))


@SPLITS
def test_a_barrier_of_other_lanes_is_another_one(split):
    """Lane 0 waits for lane 1, which waits for lane 2 at first, which is late."""
    text = BLOCK.format("""mov.u32 %v, 0;
setp.eq.u32 %p, %t, 0;
@%p bra $pair;
setp.eq.u32 %p, %t, 2;
@%p bra $late;
bar.warp.sync 6;
mov.u32 %v, 1;
$pair:
bar.warp.sync 3;
add.u32 %v, %v, 10;
bra $end;
$late:
add.u32 %v, %v, 1;
setp.lt.u32 %q, %v, 100;
@%q bra $late;
bar.warp.sync 6;
$end:
st.global.u32 [%r], %v;""")
    for seed in range(5):
        with virtual_gpu.settings(split=split, seed=seed):
            (found,) = launch(text, np.zeros(3, np.uint32), block=(3,))
        np.testing.assert_array_equal(found, [10, 11, 100])


def test_a_branch_to_nowhere_and_other_barriers():
    for body, words in (
        ("bra $nowhere;", "a branch to $nowhere, which is nowhere"),
        ("bar.sync 0, 64;", "bar.sync"),
        ("bar.arrive 0, 64;", "bar.arrive"),
        ("bar.red.popc.u32 %out, 0, %p;", "bar.red.popc.u32"),
    ):
        with pytest.raises(Exception, match="INVALID_PTX"):
            run(body, np.zeros(1, np.uint32), output=np.uint32)
        (complaint,) = virtual_gpu.take_complaints()
        assert words in complaint


def test_what_waits_for_other_grids_does_nothing():
    """A kernel begins when the one before it in its stream has ended."""
    body = "griddepcontrol.launch_dependents;\ngriddepcontrol.wait;\nmov.u32 %out, %in0;"
    values = np.arange(3, dtype=np.uint32)
    np.testing.assert_array_equal(run(body, values, output=np.uint32, header=NEWER), values)
