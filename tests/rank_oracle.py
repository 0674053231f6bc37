"""Which order statistics a rank rule takes, as NumPy says: the quantile of 0, 1, …, n − 1."""

import numpy as np


def places(method, n, q):
    """For every q, which element lies below, and the weight of the next."""
    if method == "floor":
        rank = np.minimum(np.floor(n * np.asarray(q, np.float64)), n - 1)
    else:
        rank = np.quantile(np.arange(n, dtype=np.float64), np.asarray(q, np.float64), method=method)
    below = np.floor(rank)
    return below.astype(int), rank - below
