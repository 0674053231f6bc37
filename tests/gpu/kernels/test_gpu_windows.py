"""Batches written into a window of the last errors, by a GPU."""

import arrays
import numpy as np
import pytest
from range_means import FLOATS
from windows import check_stream

from tailops import _kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(not arrays.library(), reason="neither PyTorch nor CuPy")


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_small_size(dtype):
    if not arrays.takes(dtype):
        pytest.skip("no arrays of this type")
    for size in (1, 33, 64):
        check_stream(np.random.default_rng(0), size, range(71), dtype, masked=size == 33)


@pytest.mark.parametrize("seed", range(24))
def test_random_streams(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 6000))
    options = TailOptions(error=str(rng.choice(_kernels.ERRORS)), ignore_nan=bool(seed % 3 == 0))
    batches = rng.integers(0, 2 * size + 2, 6)
    how = {"masked": bool(rng.random() < 0.5), "in_place": bool(rng.random() < 0.3)}
    check_stream(rng, size, batches, "float32", options, **how)
