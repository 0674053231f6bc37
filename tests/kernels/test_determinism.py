"""The same input gives the same bits, whatever the number of threads."""

import numpy as np
import pytest
from families import residuals

from tailops import kernels
from tailops._options import TailOptions


@pytest.mark.parametrize("shape", [(300_001,), (100_000, 3), (3, 100_001)])
@pytest.mark.parametrize("reduction", ["per_sample", "mean"])
@pytest.mark.parametrize("axis", [None, 0])
def test_bits_do_not_depend_on_threads(shape, reduction, axis):
    d = residuals("heavy_tail", int(np.prod(shape)), np.float32).reshape(shape)
    zeros, options = np.zeros_like(d), TailOptions(0.97, 3.0, axis=axis)

    def run(threads):
        loss, state = kernels.forward(zeros, d, options, reduction=reduction, threads=threads)
        slope = kernels.backward(
            np.ones_like(loss), zeros, d, state, options, reduction=reduction, threads=threads
        )
        return loss.tobytes() + state.tobytes() + slope.tobytes()

    once = run(1)
    assert all(run(threads) == once for threads in (1, 2, 3, 8, 2))
