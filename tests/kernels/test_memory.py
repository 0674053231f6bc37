"""Where the gradient is written: past the caches where it is large, and over an input."""

import numpy as np
import pytest
from families import residuals

from tailops import _kernels, kernels
from tailops._options import TailOptions

STREAMED = _kernels.STREAMED_BYTES


def problem(n, dtype, offset):
    """Arrays that begin `offset` elements behind an aligned address."""
    d = residuals("random", n + offset, dtype)[offset:]
    zeros = np.zeros(n + offset, dtype)[offset:]
    return zeros, d, np.empty(n + offset, dtype)[offset:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, "bfloat16"])
@pytest.mark.parametrize("offset", [0, 1, 3, 8])
def test_streaming_changes_no_bit(dtype, offset):
    """Of a sum: there an element's gradient depends on no other's."""
    limit = STREAMED // np.dtype(dtype).itemsize
    options = TailOptions(0.99, 20.0, gradient="fixed_threshold")
    for n in (limit - 1, limit, limit + 13):
        zeros, d, out = problem(n, dtype, offset)
        _, state = kernels.forward(zeros, d, options, reduction="sum")
        upstream = np.ones((), zeros.dtype)
        kernels.backward(upstream, zeros, d, state, options, reduction="sum", out=out)
        for piece in (slice(0, 5000), slice(n - 4099, n)):
            alone = kernels.backward(
                upstream, zeros[piece], d[piece], state, options, reduction="sum"
            )
            np.testing.assert_array_equal(out[piece], alone)


@pytest.mark.parametrize("n", [1, 9, 1024, 5000, STREAMED // 4 + 5])
@pytest.mark.parametrize("kappa", [100.0, 1.0])
@pytest.mark.parametrize("axis", [None, 0])
def test_over_an_input(n, kappa, axis):
    shape = (n,) if axis is None else (-(-n // 3), 3)
    d = residuals("tied_at_the_top", int(np.prod(shape)), np.float32).reshape(shape)
    y_true = np.full_like(d, 0.25)
    options = TailOptions(0.95, kappa, axis=axis)
    for reduction in ("none", "mean"):
        loss, state = kernels.forward(y_true, d, options, reduction=reduction)
        upstream = np.random.default_rng(0).uniform(1, 2, loss.shape).astype(np.float32)
        expected = kernels.backward(upstream, y_true, d, state, options, reduction=reduction)
        for which in ("y_true", "y_pred"):
            inputs = {"y_true": y_true.copy(), "y_pred": d.copy()}
            out = inputs[which]
            kernels.backward(
                upstream, inputs["y_true"], inputs["y_pred"], state, options,
                reduction=reduction, out=out,
            )  # fmt: skip
            np.testing.assert_array_equal(out, expected)
