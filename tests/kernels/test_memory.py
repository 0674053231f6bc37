"""Where results are written: past the caches where they are large, and over an input."""

import numpy as np
import oracle
import pytest
from families import residuals
from test_tail_loss import assert_close

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


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, "bfloat16"])
@pytest.mark.parametrize("offset", [0, 3])
def test_streamed_losses(dtype, offset):
    limit = STREAMED // np.dtype(dtype).itemsize
    options = TailOptions(0.99, 20.0)
    for n in (limit - 1, limit, limit + 13):
        zeros, d, out = problem(n, dtype, offset)
        expected = oracle.tail_loss(zeros, d, options, "none").loss
        for threads in (1, 2):
            out[:] = 0
            kernels.forward(zeros, d, options, reduction="none", threads=threads, out=out)
            assert_close(out, expected, d.dtype, f"{n} losses")


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
        if reduction == "none":
            for which in ("y_true", "y_pred"):
                inputs = {"y_true": y_true.copy(), "y_pred": d.copy()}
                out = inputs[which]
                kernels.forward(**inputs, options=options, reduction=reduction, out=out)
                np.testing.assert_array_equal(out, loss)
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


@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_out_is_what_is_returned(reduction):
    d = residuals("random", 60, np.float32).reshape(20, 3)
    zeros, options = np.zeros_like(d), TailOptions(0.9, 3.0)
    expected, state = kernels.forward(zeros, d, options, reduction=reduction)
    out = np.empty_like(expected)
    assert kernels.forward(zeros, d, options, reduction=reduction, out=out).loss is out
    np.testing.assert_array_equal(out, expected)
    upstream, out = np.ones_like(expected), np.empty_like(d)
    slope = kernels.backward(upstream, zeros, d, state, options, reduction=reduction)
    assert kernels.backward(upstream, zeros, d, state, options, reduction=reduction, out=out) is out
    np.testing.assert_array_equal(out, slope)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty((3, 4), np.float32), r"out is float32\(3, 4\): must be float32\(4, 3\), like "),
        (np.empty((4, 3), np.float64), r"out is float64\(4, 3\): must be float32\(4, 3\), like "),
        (np.empty((3, 4), np.float32).T, "out must be C-contiguous and writeable"),
        (np.broadcast_to(np.float32(0), (4, 3)), "out must be C-contiguous and writeable"),
    ],
)
def test_out_of_another_kind(out, message):
    d = residuals("random", 12, np.float32).reshape(4, 3)
    loss, state = kernels.forward(d, d, reduction="none")
    with pytest.raises(ValueError, match=message):
        kernels.forward(d, d, reduction="none", out=out)
    with pytest.raises(ValueError, match=message):
        kernels.backward(loss, d, d, state, reduction="none", out=out)
