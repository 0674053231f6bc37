"""The CUDA selection kernels compiled for the host; see emulation.py."""

import numpy as np
from emulation import Emulated, arguments_of, compile_library, misaligned

from tailops import _kernels, kernels

DTYPES = (
    "float32", "int8", "float64", "float16", "bfloat16", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64",
)  # fmt: skip
# In the order of their numbers.
METHODS = (*_kernels.METHODS[:-1], "rank", "rank_from_top")
POINTERS = ("x", "weights", "q_on_host", "q_on_device", "value", "state", "upstream", "gradient")
INTEGERS = ("outer", "length", "inner", "dtype", "method", "ignore_nan", "wide_weights", "q_count")


class EmulatedSelection(Emulated):
    """Selection."""

    arguments = arguments_of(POINTERS, INTEGERS)

    def __init__(self, path):
        super().__init__(path, "tailops_emulate_selection")

    @staticmethod
    def compile(folder, *flags):
        return compile_library(folder, ["emulate_selection.cc"], flags)

    def _call(self, case, **arrays):
        shape, axis = case.x.shape, case.axis
        axis = None if axis is None else axis % len(shape)
        sizes = (shape[:axis], shape[axis:][:1], shape[axis:][1:]) if axis is not None else None
        outer, length, inner = map(np.prod, sizes) if sizes else (1, case.x.size, 1)
        weights = None if case.weights is None else np.ascontiguousarray(case.weights)
        self.call(
            {"weights": weights, **arrays},
            outer=int(outer),
            length=int(length),
            inner=int(inner),
            dtype=DTYPES.index(case.x.dtype.name),
            method=METHODS.index(case.method),
            ignore_nan=case.ignore_nan,
            wide_weights=weights is not None and weights.dtype == np.float64,
            q_count=len(case.q),
        )

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
