"""The CUDA kernels of range means compiled for the host; see emulation.py."""

import numpy as np
from emulation import DTYPES, Emulated, arguments_of, compile_library, misaligned
from range_means import KINDS

POINTERS = (
    "values", "mask", "weights", "on_host", "on_device", "mean", "state", "upstream", "gradient",
)  # fmt: skip
INTEGERS = ("outer", "length", "inner", "dtype", "kind", "wide_weights")


class EmulatedRangeMeans(Emulated):
    """Range means."""

    arguments = arguments_of(POINTERS, INTEGERS)

    def __init__(self, path):
        super().__init__(path, "tailops_emulate_range_mean")

    @staticmethod
    def compile(folder, *flags):
        return compile_library(folder, ["emulate_range_mean.cc"], flags)

    def _call(self, case, **arrays):
        outer, length, inner = case.sizes
        mask = None if case.mask is None else np.ascontiguousarray(case.mask)
        weights = None if case.weights is None else np.ascontiguousarray(case.weights)
        self.call(
            {"mask": mask, "weights": weights, **arrays},
            outer=outer,
            length=length,
            inner=inner,
            dtype=DTYPES.index(case.values.dtype.name),
            kind=KINDS.index(case.kind),
            wide_weights=weights is not None and weights.dtype == np.float64,
        )

    def space(self, case):
        """How many bytes the forward pass asks for; it does not run."""
        self._call(case)
        return self.workspace_bytes

    def forward(self, case, *, offset=0, on_device=False):
        """Mean and state, of values so many elements off 16 bytes."""
        mean, state = case.garbage()
        where = {"on_device" if on_device else "on_host": np.array(case.bounds, np.float64)}
        self._call(case, values=misaligned(case.values, offset), mean=mean, state=state, **where)
        return mean, state

    def backward(self, case, upstream, state, *, offset=0, in_place=False):
        """The gradient; in place, over the values."""
        values = misaligned(case.values, offset)
        gradient = values if in_place else misaligned(np.full_like(case.values, 7), offset)
        arrays = {"upstream": np.ascontiguousarray(upstream), "state": np.ascontiguousarray(state)}
        self._call(case, values=values, gradient=gradient, **arrays)
        return gradient
