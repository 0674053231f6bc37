"""The CUDA kernel that remembers a batch's errors, run on the host, against a deque."""

import emulation
import numpy as np
import pytest
from emulation import EmulatedWindows, random_limits
from problems import Problem
from remembered import Remembered, oldest_first, stream

from tailops import _kernels
from tailops._options import TailOptions

pytestmark = pytest.mark.skipif(emulation.COMPILER is None, reason="no C++ compiler")


@pytest.fixture(scope="session")
def window_library(tmp_path_factory):
    return EmulatedWindows.compile(tmp_path_factory.mktemp("windows"))


@pytest.fixture
def windows(window_library):
    return EmulatedWindows(window_library)


@pytest.mark.parametrize("part", range(4))
def test_random_streams(windows, part):
    for seed in range(part * 10, part * 10 + 10):
        rng = np.random.default_rng(seed)
        windows.seed, windows.limits = seed, random_limits(rng)
        dtype = np.dtype(rng.choice(["float32", "float64", "float16"]))
        wide = np.dtype("float64" if dtype == "float64" else "float32")
        size = int(rng.integers(1, 2500))
        options = TailOptions(error=str(rng.choice(_kernels.ERRORS)), ignore_nan=seed % 3 == 0)
        in_place = bool(rng.random() < 0.5)
        expected = Remembered(size)
        window, written = np.zeros(size, wide), np.zeros(1, wide)
        lengths = rng.integers(1, 2 * size + 2, 5)
        how = {"masked": seed % 2 == 1, "nan": options.ignore_nan}
        for y_true, y_pred, mask, valid in stream(rng, lengths, dtype, **how):
            batch = Problem(y_true, y_pred, options, "none", mask)
            window, written = windows.remember(batch, window, written, in_place=in_place)
            expected.add(y_true, y_pred, valid, options.error, options.epsilon)
            np.testing.assert_array_equal(
                oldest_first(window, written[0]), np.array(expected.errors, wide)
            )
        again = windows.remember(batch, window.copy(), written, in_place=in_place, frozen=True)
        if expected.errors:
            np.testing.assert_array_equal(again[0], window)
            np.testing.assert_array_equal(again[1], written)
