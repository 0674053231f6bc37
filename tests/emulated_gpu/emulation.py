"""The CUDA kernels compiled for the host and run thread by thread; see emulated_device.h."""

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tailops import _kernels, kernels

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "csrc"
CALL = SOURCES / "call"
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
FLAGS = ["-std=c++17", "-O1", "-ffp-contract=off", "-DTAILOPS_EMULATED", "-fPIC", "-shared"]
DTYPES = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True)
class Limits:
    """Those of limits.h, so small that few elements reach every path."""

    multiprocessors: int = 3
    shared_bytes: int = 24 << 10
    block_elements: int = 600
    short_elements: int = 200
    short_groups_per_multiprocessor: int = 2
    tile_elements: int = 20
    most_group_threads: int = 96
    grid_threads: int = 64
    bracket_threads: int = 64
    blocks_per_multiprocessor: int = 1
    most_groups_at_once: int = 2
    sample_bytes: int = 4096
    least_sample: int = 64
    alone_sample: int = 200
    most_listed: int = 40
    spare_bytes: int = 4096
    piece: int = 700
    most_blocks: int = 3
    row_part: int = 500


# Those of limits.h, on a GPU like an H100 or H200.
LIMITS_OF_A_LARGE_GPU = Limits(
    multiprocessors=132,
    shared_bytes=227 << 10,
    block_elements=16384,
    short_elements=1024,
    short_groups_per_multiprocessor=8,
    tile_elements=64,
    most_group_threads=512,
    grid_threads=256,
    bracket_threads=512,
    blocks_per_multiprocessor=4,
    most_groups_at_once=16,
    sample_bytes=256 << 10,
    least_sample=2048,
    alone_sample=4096,
    most_listed=8192,
    spare_bytes=384 << 10,
    piece=2**30,
    most_blocks=2**31 - 1,
    row_part=32768,
)


def random_limits(rng):
    """Others, as small."""
    return Limits(
        multiprocessors=int(rng.integers(1, 6)),
        block_elements=int(rng.choice([1, 64, 600])),
        short_elements=int(rng.choice([0, 20, 200, 1024])),
        short_groups_per_multiprocessor=int(rng.choice([0, 1, 4])),
        shared_bytes=int(rng.choice([0, 3000, 16 << 10, 64 << 10])),
        least_sample=int(rng.choice([16, 64, 500])),
        alone_sample=int(rng.choice([0, 100, 10_000])),
        most_listed=int(rng.choice([0, 8, 300])),
        spare_bytes=int(rng.choice([0, 512, 4096, 200_000])),
        tile_elements=int(rng.choice([1, 20, 10_000])),
        most_groups_at_once=int(rng.integers(1, 4)),
        blocks_per_multiprocessor=int(rng.integers(1, 4)),
    )


POINTERS = ("y_true", "y_pred", "mask", "upstream", "loss", "state", "gradient", "shape")
INTEGERS_BEFORE = ("dimensions", "axis", "dtype", "reduction", "error_kind", "method")
INTEGERS = (*INTEGERS_BEFORE, "gradient_mode", "smoothing_unit", "selection", "cut")
NUMBERS = ("percentile", "smoothing_factor", "error_scale", "beta", "epsilon")
LIMITS = tuple(Limits.__dataclass_fields__)
_RESULTS = ("launches", "workspace_bytes")


class _Arguments(ctypes.Structure):
    _fields_ = (
        [(name, ctypes.c_void_p) for name in POINTERS]
        + [(name, ctypes.c_int64) for name in INTEGERS]
        + [(name, ctypes.c_double) for name in NUMBERS]
        + [("ignore_nan", ctypes.c_int64), ("has_ignore_value", ctypes.c_int64)]
        + [("ignore_value", ctypes.c_double), ("seed", ctypes.c_int64)]
        + [(name, ctypes.c_int64) for name in (*LIMITS, *_RESULTS)]
        + [("problem", ctypes.c_char * 200)]
    )


@dataclass
class Result:
    """What a pass wrote, and what it took."""

    launches: int
    workspace_bytes: int
    loss: np.ndarray | None = None
    state: np.ndarray | None = None
    gradient: np.ndarray | None = None


def compile_library(folder, sources, flags=()):
    """A library of these sources, relative to the emulation's folder."""
    path = folder / "emulation.so"
    here = HERE / "emulation"
    command = [COMPILER, *FLAGS, *flags, f"-I{SOURCES}", f"-I{here}"]
    subprocess.run([*command, *(here / name for name in sources), "-o", path], check=True)
    return path


def misaligned(array, offset):
    """A copy whose first element lies `offset` elements behind a multiple of 16 bytes."""
    bytes_ = np.empty(array.nbytes + 64, np.uint8)
    skip = -bytes_.ctypes.data % 16 + offset * array.itemsize
    copy = bytes_[skip : skip + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def arguments_of(pointers, integers):
    """The structure of a call that has these, between them nothing else."""

    class Arguments(ctypes.Structure):
        _fields_ = (
            [(name, ctypes.c_void_p) for name in pointers]
            + [(name, ctypes.c_int64) for name in (*integers, "seed", *LIMITS, *_RESULTS)]
            + [("problem", ctypes.c_char * 200)]
        )

    return Arguments


class Emulated:
    """A compiled library, with limits and an order of threads that are its own."""

    arguments: type
    """Of a call."""

    def __init__(self, path, function):
        self._run = getattr(ctypes.CDLL(str(path)), function)
        self.limits = Limits()
        self.seed = 0
        self.launches = 0
        self.workspace_bytes = 0

    def call(self, arrays, **others):
        """With arrays by name, of which None are null, and what else there is."""
        arguments = self.arguments(
            seed=self.seed,
            **others,
            **{name: getattr(self.limits, name) for name in LIMITS},
            **{name: a.ctypes.data for name, a in arrays.items() if a is not None},
        )
        self._run(ctypes.byref(arguments))
        if arguments.problem:
            raise RuntimeError(arguments.problem.decode())
        self.launches, self.workspace_bytes = arguments.launches, arguments.workspace_bytes


class Emulation(Emulated):
    """The fused loss."""

    arguments = _Arguments
    function = "tailops_emulate"
    sources = ("emulate.cc", *(CALL / name for name in ("geometry.cc", "groups.cc", "options.cc")))

    def __init__(self, path):
        super().__init__(path, self.function)
        self.cut = 0

    @classmethod
    def compile(cls, folder, *flags):
        return compile_library(folder, cls.sources, flags)

    def _call(self, case, **arrays):
        options = case.options
        shape = np.array(case.y_pred.shape, np.int64)
        axis = -1 if options.axis is None else options.axis % case.y_pred.ndim
        arrays = {"mask": case.mask, "shape": shape, **arrays}
        self.call(
            arrays,
            dimensions=case.y_pred.ndim,
            axis=axis,
            dtype=DTYPES.index(case.y_pred.dtype.name),
            reduction=_kernels.REDUCTIONS.index(case.reduction),
            error_kind=_kernels.ERRORS.index(options.error),
            method=_kernels.METHODS.index(options.method),
            gradient_mode=_kernels.GRADIENTS.index(options.gradient),
            smoothing_unit=_kernels.SMOOTHING_UNITS.index(options.smoothing_unit),
            selection=_kernels.SELECTIONS.index(case.selection),
            cut=self.cut,
            ignore_nan=options.ignore_nan,
            has_ignore_value=options.ignore_value is not None,
            ignore_value=options.ignore_value or 0.0,
            **{name: getattr(options, name) for name in NUMBERS},
        )
        return Result(self.launches, self.workspace_bytes)

    def space(self, case):
        """What the forward pass asks for; it does not run."""
        return self._call(case, loss=None).workspace_bytes

    def forward(self, case, *, offsets=(0, 0)):
        """The forward pass, with inputs so many elements off 16 bytes."""
        y_true = misaligned(np.ascontiguousarray(case.y_true), offsets[0])
        y_pred = misaligned(np.ascontiguousarray(case.y_pred), offsets[1])
        loss = np.full(case.geometry.output_shape, np.nan, case.y_pred.dtype)
        state = np.full(case.geometry.groups * _kernels.STATE_COLUMNS, np.nan).view(kernels.STATE)
        result = self._call(case, y_true=y_true, y_pred=y_pred, loss=loss, state=state)
        result.loss, result.state = loss, state
        return result

    def backward(self, case, upstream, state, *, offsets=(0, 0, 0), over=None):
        """The backward pass; `over`: 0 or 1, which input the gradient is written over."""
        y_true = misaligned(np.ascontiguousarray(case.y_true), offsets[0])
        y_pred = misaligned(np.ascontiguousarray(case.y_pred), offsets[1])
        garbage = np.full(case.y_pred.shape, np.nan, case.y_pred.dtype)
        out = misaligned(garbage, offsets[2]) if over is None else (y_true, y_pred)[over]
        upstream = np.ascontiguousarray(upstream, case.y_pred.dtype)
        state = np.ascontiguousarray(state)
        result = self._call(
            case, y_true=y_true, y_pred=y_pred, upstream=upstream, state=state, gradient=out
        )
        result.gradient = out
        return result

    def passes(self, case, offsets=(0, 0, 0), over=None):
        """Functions for the checks of problems.py."""

        def forward():
            result = self.forward(case, offsets=offsets[:2])
            return result.loss, result.state

        def backward(upstream, state):
            return self.backward(case, upstream, state, offsets=offsets, over=over).gradient

        return forward, backward


class EmulatedUnions(Emulation):
    """A loss of two shares of a batch, the first of which has `cut` rows; nothing is reduced."""

    function = "tailops_emulate_union"
    sources = ("emulate_union.cc", *Emulation.sources[1:], CALL / "union.cc")


class EmulatedWindows(Emulation):
    """Batches written into a window."""

    function = "tailops_emulate_window"
    sources = ("emulate_window.cc", *EmulatedUnions.sources[1:])

    def remember(self, batch, window, written, *, in_place, frozen=False):
        """The window behind a batch, and how many have been written, as arrays of one."""
        self.cut = len(window)
        count = written.copy()
        after = window if in_place else np.full_like(window, 77)
        self._call(
            batch,
            y_true=np.ascontiguousarray(batch.y_true),
            y_pred=np.ascontiguousarray(batch.y_pred),
            loss=window,
            state=count,
            gradient=after,
            upstream=count if frozen else None,
        )
        return after, count
