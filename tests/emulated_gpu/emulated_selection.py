"""The CUDA selection kernels compiled for the host; see emulation.py."""

import ctypes

import numpy as np
from emulation import LIMITS, Limits, compile_library, misaligned

from tailops import _kernels, kernels

DTYPES = (
    "float32", "int8", "float64", "float16", "bfloat16", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64",
)  # fmt: skip
# In the order of their numbers.
METHODS = (*_kernels.METHODS[:-1], "rank", "rank_from_top")
POINTERS = ("x", "q_on_host", "q_on_device", "value", "state", "upstream", "gradient")
INTEGERS = ("outer", "length", "inner", "dtype", "method", "ignore_nan", "q_count", "seed")


class _Arguments(ctypes.Structure):
    _fields_ = (
        [(name, ctypes.c_void_p) for name in POINTERS]
        + [(name, ctypes.c_int64) for name in (*INTEGERS, *LIMITS, "launches", "workspace_bytes")]
        + [("problem", ctypes.c_char * 200)]
    )


class EmulatedSelection:
    """The compiled library, with limits and an order of threads that are its own."""

    def __init__(self, path):
        self._run = ctypes.CDLL(str(path)).tailops_emulate_selection
        self.limits = Limits()
        self.seed = 0
        self.launches = 0
        self.workspace_bytes = 0

    @staticmethod
    def compile(folder, *flags):
        return compile_library(folder, ["emulate_selection.cc"], flags)

    def _call(self, case, **arrays):
        shape, axis = case.x.shape, case.axis
        axis = None if axis is None else axis % len(shape)
        sizes = (shape[:axis], shape[axis:][:1], shape[axis:][1:]) if axis is not None else None
        outer, length, inner = map(np.prod, sizes) if sizes else (1, case.x.size, 1)
        arguments = _Arguments(
            outer=int(outer),
            length=int(length),
            inner=int(inner),
            dtype=DTYPES.index(case.x.dtype.name),
            method=METHODS.index(case.method),
            ignore_nan=case.ignore_nan,
            q_count=len(case.q),
            seed=self.seed,
            **{name: getattr(self.limits, name) for name in LIMITS},
            **{name: a.ctypes.data for name, a in arrays.items() if a is not None},
        )
        self._run(ctypes.byref(arguments))
        if arguments.problem:
            raise RuntimeError(arguments.problem.decode())
        self.launches, self.workspace_bytes = arguments.launches, arguments.workspace_bytes

    def space(self, case):
        """How many bytes the forward pass asks for; it does not run."""
        self._call(case, q_on_host=np.array(case.q, np.float64))
        return self.workspace_bytes

    def forward(self, case, *, offset=0, q_on_device=False):
        """The values and the state, of an input so many elements off 16 bytes."""
        value, state = case.garbage()
        q = np.array(case.q, np.float64)
        where = {"q_on_device" if q_on_device else "q_on_host": q}
        self._call(case, x=misaligned(case.x, offset), value=value, state=state, **where)
        return kernels.Selection(value, state)

    def backward(self, case, upstream, state, *, offset=0, in_place=False):
        """The gradient; in place, over the input."""
        x = misaligned(case.x, offset)
        gradient = x if in_place else misaligned(np.full_like(case.x, 7), offset)
        arrays = {"upstream": np.ascontiguousarray(upstream), "state": np.ascontiguousarray(state)}
        self._call(case, x=x, gradient=gradient, **arrays)
        return gradient
