"""A stream of batches remembered on a GPU, against what NumPy remembers."""

import arrays
import numpy as np
from remembered import Remembered, oldest_first, stream
from unions import Share, address, garbage

from tailops._options import TailOptions


def check_stream(rng, size, batches, dtype, options=None, masked=False, in_place=False):
    """Batches of these lengths, one after the other."""
    options = options or TailOptions()
    wide = np.dtype("float64" if dtype == "float64" else "float32")
    expected = Remembered(size)
    window, written = (arrays.to_device(np.zeros(shape, wide)) for shape in ((size,), (1,)))
    for y_true, y_pred, mask, valid in stream(rng, batches, dtype, masked, options.ignore_nan):
        batch = Share(y_true, y_pred, mask, options)
        after = window, written
        if not in_place:
            after = garbage((size,), wide), garbage((1,), wide)
        places = (address(array) for array in after)
        batch.kernels.remember(address(window), address(written), size, False, *places)
        window, written = after
        expected.add(y_true, y_pred, valid, options.error, options.epsilon)
        on_host = arrays.to_host(window), arrays.to_host(written)[0]
        np.testing.assert_array_equal(
            oldest_first(*on_host),
            np.array(expected.errors, wide),
            f"{size} {batches}",
        )
    frozen = garbage((size,), wide), garbage((1,), wide)
    places = (address(array) for array in frozen)
    batch.kernels.remember(address(window), address(written), size, True, *places)
    if expected.errors:
        for a, b in zip(frozen, (window, written), strict=True):
            np.testing.assert_array_equal(arrays.to_host(a), arrays.to_host(b))
