"""Ordered keys and conversions as a GPU computes them, against this machine.

Of float16 and bfloat16 every pattern; of float32 what rounds to each of them, and any.
tests/kernels/every_pattern has this machine's against the formats' definition.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import assembler
import numpy as np
import pytest
from references import FLOATS

HERE = Path(__file__).parent
SOURCE = HERE / "every_half/maps.cu"
# `make virtual-gpu` copies the tests to a folder inside the project.
CSRC = next((p / "csrc" for p in HERE.parents if (p / "csrc/core/ordered_bits.h").exists()), None)
COMPILERS = {name: shutil.which(name) for name in ("nvcc", "g++")}

pytestmark = [
    pytest.mark.skipif(CSRC is None, reason="no csrc in a folder above"),
    pytest.mark.skipif(None in COMPILERS.values(), reason="no nvcc and g++"),
]

BITS = {"float16": 16, "bfloat16": 16, "float32": 32}
INFINITY = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F800000}
# Of each map the format of what it gives; None for keys.
MAPS_TO = {
    f"{name}_{what}": gives
    for name in ("float16", "bfloat16")
    for what, gives in {"key": None, "number": name, "widen": "float32", "narrow": name}.items()
}
MAPS_TO |= {"float32_key": None, "float32_positive_key": None, "float32_number": "float32"}
BLOCK = 256


@pytest.fixture(name="compiled", scope="module")
def for_both(tmp_path_factory):
    """The kernels' text, and a library for this machine."""
    folder = tmp_path_factory.mktemp("maps")
    flags = ["-std=c++17", f"-I{CSRC}", SOURCE, "-o"]
    ptx, library = folder / "maps.ptx", folder / "maps.so"
    # As the build's.
    cuda = ["-arch=compute_80", "--fmad=false", "--expt-relaxed-constexpr", "-ptx"]
    subprocess.run([COMPILERS["nvcc"], *cuda, *flags, ptx], check=True)
    host = ["-O2", "-ffp-contract=off", "-shared", "-fPIC", "-x", "c++"]
    subprocess.run([COMPILERS["g++"], *host, *flags, library], check=True)
    return ptx.read_text(), ctypes.CDLL(str(library))


def singles_around(name):
    """Patterns of float32: a half's numbers, what is midway between them, and beside that."""
    halves = np.arange(2**16, dtype=np.uint16).view(FLOATS[name]).astype(np.float32)
    here = halves[np.isfinite(halves)]
    with np.errstate(over="ignore"):
        middle = ((here[:-1].astype(float) + here[1:].astype(float)) / 2).astype(np.float32)
        sides = [np.nextafter(middle, np.float32(end)) for end in (0, np.inf, -np.inf)]
    largest = here.max()
    end = largest + np.float32(largest.astype(float) - float(np.sort(here)[-2])) / 2
    ends = [s * e for s in (1, -1) for e in (end, np.nextafter(end, np.float32(0)))]
    random = np.random.default_rng(1).integers(0, 2**32, 2**15, np.uint32)
    values = np.concatenate([halves, middle, *sides, np.array(ends, np.float32)])
    patterns = np.concatenate([values.view(np.uint32), random])
    return np.resize(patterns, -(-len(patterns) // BLOCK) * BLOCK)


def patterns_for(name):
    if name.endswith("_narrow"):
        return singles_around({"float16": "f16", "bfloat16": "bf16"}[name.split("_")[0]])
    if name.startswith("float32"):
        return singles_around("f16")
    return np.arange(2**16, dtype=np.uint16)


def one_nan(patterns, of):
    """A pattern for all NaNs: which it is, nobody promises."""
    if of is None:
        return patterns
    sign = patterns.dtype.type(1 << (BITS[of] - 1))
    return np.where(
        (patterns & ~sign) > INFINITY[of], patterns.dtype.type(INFINITY[of] + 1), patterns
    )


def found_wrong(compiled, name, patterns, wrong_of=-1):
    """The patterns of which the GPU gives something else than this machine."""
    text, library = compiled
    made_of = MAPS_TO[name]
    result = np.dtype(np.uint16 if made_of in ("float16", "bfloat16") else np.uint32)
    out = np.zeros(len(patterns), result)
    fault = np.array([wrong_of], np.int64)
    grid = (len(patterns) // BLOCK,)
    _, found, _ = assembler.launch(text, patterns, out, fault, name=name, grid=grid, block=(BLOCK,))
    pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (patterns, out))
    getattr(library, name)(*pointers, ctypes.c_int64(len(patterns)))
    return set(patterns[one_nan(found, made_of) != one_nan(out, made_of)].tolist())


@pytest.mark.parametrize("name", MAPS_TO)
def test_each_pattern(compiled, name):
    assert found_wrong(compiled, name, patterns_for(name)) == set()


@pytest.mark.parametrize("name", MAPS_TO)
def test_a_fault_is_noticed(compiled, name):
    patterns = patterns_for(name)[: 8 * BLOCK]
    pattern = int(patterns[1234])
    assert found_wrong(compiled, name, patterns, pattern) == {pattern}
