"""Logic, shifts, fields, counts and permutations of bits."""

import itertools

import numpy as np
import pytest
from assembler import assert_refused, run
from references import INTEGERS, integers, wrapped

LOGIC = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}


@pytest.mark.parametrize("name", ["b16", "b32", "b64"])
def test_logic(name):
    a, b = integers(INTEGERS[name])
    for operation, expected in LOGIC.items():
        found = run(f"{operation}.{name} %out, %in0, %in1;", a, b, output=a.dtype)
        np.testing.assert_array_equal(found, expected(a, b), operation)
    np.testing.assert_array_equal(run(f"not.{name} %out, %in0;", a, output=a.dtype), ~a)
    np.testing.assert_array_equal(run(f"cnot.{name} %out, %in0;", a, output=a.dtype), a == 0)


def test_logic_of_predicates():
    a, b = (np.array(x, np.uint32) for x in zip(*itertools.product([0, 1], repeat=2), strict=True))
    for operation, function in LOGIC.items():
        body = f"""setp.ne.u32 %p, %in0, 0;
setp.ne.u32 %q, %in1, 0;
{operation}.pred %p, %p, %q;
selp.u32 %out, 1, 0, %p;"""
        np.testing.assert_array_equal(run(body, a, b, output=np.uint32), function(a, b), operation)
    body = "setp.ne.u32 %p, %in0, 0;\nnot.pred %q, %p;\nselp.u32 %out, 1, 0, %q;"
    np.testing.assert_array_equal(run(body, a, output=np.uint32), 1 - a)


@pytest.mark.parametrize("name", [f"{kind}{bits}" for kind in "bus" for bits in (16, 32, 64)])
def test_shifts_beyond_the_width(name):
    dtype = INTEGERS[name]
    a = np.repeat(np.unique(integers(dtype)[0])[:15], 8)
    some = np.array([0, 1, 15, 16, 32, 63, 64, 2**32 - 1], np.uint32)
    count = np.tile(some, len(a) // 8)
    bits = 8 * a.itemsize
    right = [int(x) >> min(int(n), bits) for x, n in zip(a, count, strict=True)]
    found = run(f"shr.{name} %out, %in0, %in1;", a, count, output=dtype)
    np.testing.assert_array_equal(found, wrapped(right, dtype))
    if name[0] == "b":
        left = [int(x) << min(int(n), bits) for x, n in zip(a, count, strict=True)]
        found = run(f"shl.{name} %out, %in0, %in1;", a, count, output=dtype)
        np.testing.assert_array_equal(found, wrapped(left, dtype))


@pytest.mark.parametrize("bits", [32, 64])
def test_counts_and_positions_of_bits(bits):
    a = np.unique(integers(INTEGERS[f"u{bits}"])[0])
    texts = [format(int(x), f"0{bits}b") for x in a]
    expected = {
        f"popc.b{bits}": [text.count("1") for text in texts],
        f"clz.b{bits}": [len(text) - len(text.lstrip("0")) for text in texts],
        f"bfind.u{bits}": [int(x).bit_length() - 1 for x in a],
        f"bfind.shiftamt.u{bits}": [bits - int(x).bit_length() if x else -1 for x in a],
    }
    for form, values in expected.items():
        found = run(f"{form} %out, %in0;", a, output=np.uint32)
        np.testing.assert_array_equal(found, wrapped(values, np.uint32), form)
    reversed_ = np.array([int(text[::-1], 2) for text in texts], a.dtype)
    found = run(f"brev.b{bits} %out, %in0;", a, output=a.dtype)
    np.testing.assert_array_equal(found, reversed_)


@pytest.mark.parametrize("bits", [32, 64])
def test_the_highest_bit_that_is_not_the_sign(bits):
    a = np.unique(integers(INTEGERS[f"s{bits}"])[0])
    lengths = [(x if x >= 0 else ~x).bit_length() for x in a.tolist()]
    found = run(f"bfind.s{bits} %out, %in0;", a, output=np.int32)
    np.testing.assert_array_equal(found, np.array(lengths) - 1)
    found = run(f"bfind.shiftamt.s{bits} %out, %in0;", a, output=np.int32)
    np.testing.assert_array_equal(found, [bits - n if n else -1 for n in lengths])


def fields(dtype):
    """Numbers, and where a field of them begins and how long it is, both modulo 256."""
    some = [0, 1, 5, 31, 32, 40, 63, 64, 255, 256 + 3]
    numbers = np.unique(integers(dtype)[0])[-8:]
    each = itertools.product(numbers.tolist(), some, some)
    a, position, length = zip(*each, strict=True)
    return np.array(a, dtype), np.array(position, np.uint32), np.array(length, np.uint32)


@pytest.mark.parametrize("name", ["u32", "s32", "u64", "s64"])
def test_fields_that_are_taken_out(name):
    """PTX's own description of bfe, bit by bit."""
    a, position, length = fields(INTEGERS[name])
    msb = 8 * a.itemsize - 1
    expected = []
    for value, pos, count in zip(a.tolist(), position.tolist(), length.tolist(), strict=True):
        pos, count = pos & 0xFF, count & 0xFF
        sbit = 0 if name[0] == "u" or count == 0 else value >> min(pos + count - 1, msb) & 1
        bits = [
            value >> pos + i & 1 if i < count and pos + i <= msb else sbit for i in range(msb + 1)
        ]
        expected.append(sum(bit << i for i, bit in enumerate(bits)))
    found = run(f"bfe.{name} %out, %in0, %in1, %in2;", a, position, length, output=a.dtype)
    np.testing.assert_array_equal(found, wrapped(expected, a.dtype))


@pytest.mark.parametrize("bits", [32, 64])
def test_fields_that_are_put_in(bits):
    b, position, length = fields(INTEGERS[f"u{bits}"])
    a = np.roll(b, 100) ^ b
    expected = []
    for field, value, pos, count in zip(
        a.tolist(), b.tolist(), position.tolist(), length.tolist(), strict=True
    ):
        mask = ((1 << (count & 0xFF)) - 1) << (pos & 0xFF)
        expected.append(value & ~mask | field << (pos & 0xFF) & mask)
    body = f"bfi.b{bits} %out, %in0, %in1, %in2, %in3;"
    found = run(body, a, b, position, length, output=a.dtype)
    np.testing.assert_array_equal(found, wrapped(expected, a.dtype))


# PTX's tables: for the two low bits of the control, which byte is at each place, the highest first.
PERMUTATIONS = {
    "f4e": ["3210", "4321", "5432", "6543"],
    "b4e": ["5670", "6701", "7012", "0123"],
    "rc8": ["0000", "1111", "2222", "3333"],
    "ecl": ["3210", "3211", "3222", "3333"],
    "ecr": ["0000", "1110", "2210", "3210"],
    "rc16": ["1010", "3232", "1010", "3232"],
}


@pytest.mark.parametrize("mode", PERMUTATIONS)
def test_modes_of_permutations(mode):
    a, b = integers(np.uint32)
    control = np.arange(len(a), dtype=np.uint32) * 5
    expected = []
    for x, y, c in zip(a.tolist(), b.tolist(), control.tolist(), strict=True):
        both = (y << 32 | x).to_bytes(8, "little")
        places = PERMUTATIONS[mode][c & 3]
        expected.append(int.from_bytes(bytes(both[int(i)] for i in places), "big"))
    found = run(f"prmt.b32.{mode} %out, %in0, %in1, %in2;", a, b, control, output=np.uint32)
    np.testing.assert_array_equal(found, expected)


def test_permutations_by_each_place():
    """A nibble with its high bit gives the sign of its byte, eight times."""
    a, b = np.random.default_rng(0).integers(0, 1 << 32, (2, 1000), np.uint32)
    control = np.random.default_rng(1).integers(0, 1 << 32, 1000, np.uint32)
    expected = []
    for x, y, c in zip(a.tolist(), b.tolist(), control.tolist(), strict=True):
        both = (y << 32 | x).to_bytes(8, "little")
        nibbles = [c >> 4 * i & 15 for i in range(4)]
        found = [both[n & 7] for n in nibbles]
        found = [
            (255 if byte & 128 else 0) if n & 8 else byte
            for n, byte in zip(nibbles, found, strict=True)
        ]
        expected.append(int.from_bytes(bytes(found), "little"))
    found = run("prmt.b32 %out, %in0, %in1, %in2;", a, b, control, output=np.uint32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["wrap", "clamp"])
def test_funnels(mode):
    """Of two words as one: the upper one of it shifted left, the lower one shifted right."""
    a, b = np.random.default_rng(0).integers(0, 1 << 32, (2, 200), np.uint32)
    counts = np.array([0, 1, 13, 31, 32, 33, 63, 64, 2**31 + 5, 2**32 - 1], np.uint32)
    counts = np.resize(counts, 200)
    taken = [n & 31 if mode == "wrap" else min(n, 32) for n in counts.tolist()]
    both = [y << 32 | x for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    left = [(x << n) >> 32 for x, n in zip(both, taken, strict=True)]
    right = [x >> n for x, n in zip(both, taken, strict=True)]
    for direction, values in (("l", left), ("r", right)):
        body = f"shf.{direction}.{mode}.b32 %out, %in0, %in1, %in2;"
        found = run(body, a, b, counts, output=np.uint32)
        np.testing.assert_array_equal(found, wrapped(values, np.uint32), direction)


@pytest.mark.parametrize("first", range(0, 256, 32))
def test_all_tables_of_three_operands(first):
    """The table's bit i is the result where the operands' bits are those of i."""
    a, b, c = 0xF0, 0xCC, 0xAA  # each combination once, the highest first
    outputs = [np.uint32] * 32
    body = "\n".join(
        f"lop3.b32 %out{i}, %in0, %in1, %in2, {first + i};" for i in range(len(outputs))
    )
    words = [np.array([x * 0x01010101], np.uint32) for x in (a, b, c)]
    found = run(body, *words, output=outputs)
    np.testing.assert_array_equal(
        np.ravel(found), [(first + i) * 0x01010101 for i in range(len(outputs))]
    )


@pytest.mark.parametrize(
    "body",
    [
        "and.u32 %out, %in0, %in0;",
        "shl.u32 %out, %in0, 1;",
        "popc.u32 %out, %in0;",
        "shf.l.b32 %out, %in0, %in0, 1;",
        "fns.b32 %out, %in0, 0, 1;",
        "bmsk.clamp.b32 %out, %in0, 3;",
        "szext.wrap.s32 %out, %in0, 3;",
    ],
)
def test_unknown_forms_of_bits(body):
    assert body.split()[0] in assert_refused(body, np.zeros(1, np.uint32))
