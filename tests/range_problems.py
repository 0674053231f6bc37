"""Problems of the range mean for everything that calls the kernels, and what those make of them."""

import ml_dtypes
import numpy as np

from tailops import kernels

DTYPES = [np.float16, ml_dtypes.bfloat16, np.float32, np.float64]
BOUNDS = {"between": (0.13, 0.91), "largest": (2.5, 0.0), "at_least": (0.3, 4.0)}


def cases(*axes):
    """Every kind with every axis, with and without a mask; the dtypes take turns."""
    return [
        (kind, axis, DTYPES[(i + j) % 4], masked)
        for i, kind in enumerate(BOUNDS)
        for j, axis in enumerate(axes)
        for masked in (False, True)
    ]


def problem(dtype=np.float32, masked=False):
    """Values with ties, and a mask; of one group along the last axis nothing is left."""
    rng = np.random.default_rng(0)
    values = (rng.integers(-20, 20, (6, 7, 30)) / 8).astype(dtype)
    mask = rng.random(values.shape) < 0.8
    mask[:, :3], mask[:3], mask[..., :3], mask[4, 5] = True, True, True, False
    return values, mask if masked else None


def upstream_like(mean):
    """Small whole numbers, some negative."""
    return (np.arange(np.size(mean)) % 7 - 3).reshape(np.shape(mean)).astype(mean.dtype)


def expected_of(values, bounds, kind, axis, mask=None):
    """The mean and, for `upstream_like` it, the gradient, from the kernels on NumPy's arrays."""
    values, mask = np.asarray(values), None if mask is None else np.asarray(mask)
    mean, state = kernels.range_mean_forward(values, bounds, kind, axis, mask)
    return mean, kernels.range_mean_gradient(upstream_like(mean), values, state, axis, mask)


def assert_same_bits(actual, expected):
    """Of arrays of any framework, one by one."""
    for a, b in zip(actual, expected, strict=True):
        # TensorFlow's scalars of bfloat16 are no arrays.
        a, b = np.asarray(a.numpy() if hasattr(a, "numpy") else a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes()
