"""The same input gives the same bits, whatever the number of threads."""

import itertools

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


# Around where work goes over from groups side by side to groups that threads share.
@pytest.mark.parametrize(
    ("groups", "length"),
    [
        *itertools.product((1, 2, 3), (32_767, 32_768, 65_536)),
        (244, 32_767),
        (244, 32_768),
        pytest.param(244, 65_536, marks=pytest.mark.extended),
    ],
)
@pytest.mark.parametrize("ignore_nan", [False, True])
@pytest.mark.parametrize("rows", [False, True])
def test_bits_do_not_depend_on_how_groups_share_threads(groups, length, ignore_nan, rows):
    shape = (groups, length) if rows else (length, groups)
    d = residuals("heavy_tail", groups * length, np.float32)
    if ignore_nan:
        d[::7] = np.nan
    d = d.reshape(shape)
    zeros, axis = np.zeros_like(d), 1 if rows else 0
    options = TailOptions(0.97, 3.0, beta=0.1, axis=axis, ignore_nan=ignore_nan)
    q = np.array([0.2, 0.97])

    def run(threads):
        loss, state = kernels.forward(zeros, d, options, reduction="mean", threads=threads)
        slope = kernels.backward(
            np.ones_like(loss), zeros, d, state, options, reduction="mean", threads=threads
        )
        means, _ = kernels.forward(zeros, d, options, reduction="per_sample", threads=threads)
        of_means = kernels.backward(
            np.ones_like(means), zeros, d, state, options, reduction="per_sample", threads=threads
        )
        value, found = kernels.select_forward(
            d, q, axis=axis, ignore_nan=ignore_nan, threads=threads
        )
        of_value = kernels.select_backward(
            np.ones_like(value), d, found, axis=axis, threads=threads
        )
        results = (loss, state, slope, means, of_means, value, found, of_value)
        return [hash(result.tobytes()) for result in results]

    once = run(1)
    for threads in (2, 3, 8):
        assert run(threads) == once, f"{threads} threads"
