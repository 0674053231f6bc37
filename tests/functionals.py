"""The functionals and the data of the tests: each call beside what the contract calls it."""

import numpy as np
from families import residuals
from range_oracle import range_mean

# name: (function, its numbers, kind, bounds)
FUNCTIONALS = {
    "the middle": ("range_mean", (0.25, 0.7), "between", (0.25, 0.7)),
    "all": ("range_mean", (0.0, 1.0), "between", (0.0, 1.0)),
    "a sliver": ("range_mean", (0.5, 0.51), "between", (0.5, 0.51)),
    "cvar": ("cvar", (0.8,), "between", (0.8, 1.0)),
    "cvar of little": ("cvar", (0.99,), "between", (0.99, 1.0)),
    "trimmed": ("trimmed_mean", (0.3,), "between", (0.0, 0.7)),
    "top 1": ("average_top_k", (1,), "largest", (1, 0)),
    "top 1.5": ("average_top_k", (1.5,), "largest", (1.5, 0)),
    "top 2": ("average_top_k", (2,), "largest", (2, 0)),
    "hardest": ("ohem", (), "at_least", (np.inf, 1)),
    "hard": ("ohem", (0.5, 2), "at_least", (0.5, 2)),
    "hard, or many": ("ohem", (0.9, 7), "at_least", (0.9, 7)),
}
SHAPE = (5, 6, 7)
AXES = [None, 0, 1, 2, -1, (0, 1), (1, 2), (0, 2), (-1, 0), (0, 1, 2), ()]


def _mask(shape):
    """A third is ignored, evenly: along any axis some are left."""
    return np.indices(shape).sum(0) % 3 != 0


def _all_of_some_groups(shape):
    mask = _mask(shape)
    mask[0] = False
    return mask


def _with(value, share):
    def make(values, rng):
        return np.where(rng.random(values.shape) < share, value, values)

    return make


# name: (family of residuals, what is done to them, mask)
DATA = {
    "random": ("random", None, None),
    "constant": ("constant", None, None),
    "two values": ("two_values", None, None),
    "few values": ("few_values", None, None),
    "tied at the top": ("tied_at_the_top", None, None),
    "half zeros": ("half_zeros", None, None),
    "heavy tail": ("heavy_tail", None, None),
    "infinite": ("infinite", None, None),
    "minus infinity": ("random", _with(-np.inf, 0.3), None),
    "NaN": ("random", _with(np.nan, 0.02), None),
    "ignored": ("random", None, _mask),
    "ignored, tied": ("few_values", None, _mask),
    "ignored, infinite": ("infinite", None, _mask),
    "ignored NaN": ("random", _with(np.nan, 0.02), _mask),
    "ignored groups": ("random", None, _all_of_some_groups),
    "all ignored": ("random", None, lambda shape: np.zeros(shape, bool)),
}


def data(name, dtype, shape=SHAPE):
    """Values and mask."""
    family, change, mask = DATA[name]
    values = residuals(family, int(np.prod(shape)), dtype).reshape(shape)
    if change:
        values = change(values, np.random.default_rng(1)).astype(dtype)
    return values, None if mask is None else mask(shape)


def has_enough(functional, mask, axis, shape=SHAPE):
    """Whether every group that has a valid value has as many as are asked for."""
    _, _, kind, bounds = FUNCTIONALS[functional]
    valid = np.ones(shape, bool) if mask is None else mask
    counts = valid.sum(axis=axis)
    return kind != "largest" or bool(np.all((counts == 0) | (counts >= bounds[0])))


def expected(functional, values, mask, axis):
    """Means and weights."""
    _, _, kind, bounds = FUNCTIONALS[functional]
    return range_mean(values, kind, bounds, axis, mask)
