"""Residuals by the entropy of their keys: what a selection may find easy or hard."""

from collections.abc import Callable

import ml_dtypes  # noqa: F401  NumPy knows the dtype "bfloat16" once this is imported
import numpy as np


def random(n: int) -> np.ndarray:
    """Normal: hardly two are equal."""
    return np.random.default_rng(0).standard_normal(n, dtype=np.float32)


def few_values(n: int) -> np.ndarray:
    """Eight of them."""
    return np.random.default_rng(1).integers(1, 9, n).astype(np.float32) / 8


def all_equal(n: int) -> np.ndarray:
    """One."""
    return np.full(n, 0.5, np.float32)


def ascending(n: int) -> np.ndarray:
    """Random magnitudes, sorted."""
    return np.sort(np.abs(random(n)))


def heavy_tailed(n: int) -> np.ndarray:
    """Student's t with 1.5 degrees of freedom: no variance."""
    return np.random.default_rng(2).standard_t(1.5, n).astype(np.float32)


DATA: dict[str, Callable[[int], np.ndarray]] = {
    "random": random,
    "few values": few_values,
    "all equal": all_equal,
    "sorted": ascending,
    "heavy-tailed": heavy_tailed,
}
# Where equal errors share the threshold's gradient, or one of them has it all, by the library.
TIED = ("few values", "all equal")

# Where what is not n is varied.
VARIED = 1_000_000
DTYPES = ("float64", "float16", "bfloat16")
# They sort, as tf.sort does, and take as long: up to this size, of random float32.
_SORTS = ("keras.ops.quantile", "tfp.stats.percentile", "jnp.sort")


def sorting_is_shown(name: str, n: int, data: str, dtype: str) -> bool:
    """Whether this one, if it sorts, says more than tf.sort does."""
    return name not in _SORTS or (n <= VARIED and (data, dtype) == ("random", "float32"))
