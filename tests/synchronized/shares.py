"""A batch, and how it may be split over replicas."""

import numpy as np

ROWS, COLUMNS = 64, 3
# Where the batch is cut; equal cuts leave a replica with nothing.
SPLITS = {
    "halves": [30],
    "unequal": [1, 8, 52],
    "empty": [0, 25, 25, ROWS],
    "alone": [ROWS],
}


def _residuals(rng):
    return rng.standard_normal((ROWS, COLUMNS))


def _few_valued(rng):
    return rng.integers(-3, 4, (ROWS, COLUMNS)) / 2


def _constant(_):
    return np.full((ROWS, COLUMNS), 0.75)


def _sorted(rng):
    return np.sort(np.abs(_residuals(rng)), axis=0)


def _ties_on_one(rng):
    """The first rows hold the large errors, all of them equal."""
    residuals = _residuals(rng) / 8
    residuals[:20] = 2.0
    return residuals


def _ties_on_all(rng):
    residuals = np.abs(_residuals(rng)) / 8
    residuals[::4] = 2.0
    return residuals


def _nan_on_one(rng):
    residuals = _residuals(rng)
    residuals[3, 1] = np.nan
    return residuals


def _infinities(rng):
    residuals = _residuals(rng)
    residuals[::7] = np.inf
    residuals[2, 0] = -np.inf
    return residuals


def _one_infinity(rng):
    residuals = _residuals(rng)
    residuals[40, 1] = np.inf
    return residuals


def _zeros(rng):
    """Of both signs, and the smallest numbers around them."""
    least = np.array([0.0, -0.0, 2.0**-149, -(2.0**-149), 2.0**-126, 6e-8])
    return rng.choice(least, (ROWS, COLUMNS))


def _any_bits(rng):
    """Finite numbers of float32, each as likely as any other."""
    numbers = rng.integers(0, 2**32, (ROWS, COLUMNS), dtype=np.uint32).view(np.float32)
    return np.where(np.isfinite(numbers), numbers, 0.0)


RESIDUALS = {
    name.strip("_"): function
    for name, function in {
        "random": _residuals,
        "few_valued": _few_valued,
        "constant": _constant,
        "sorted": _sorted,
        "ties_on_one": _ties_on_one,
        "ties_on_all": _ties_on_all,
        "nan_on_one": _nan_on_one,
        "infinities": _infinities,
        "one_infinity": _one_infinity,
        "zeros": _zeros,
        "any_bits": _any_bits,
    }.items()
}


def _mask_of_rows(rows):
    mask = np.ones((ROWS, COLUMNS), bool)
    mask[rows] = False
    return mask


MASKS = {
    "none": lambda _: None,
    "random": lambda rng: rng.random((ROWS, COLUMNS)) < 0.6,
    "a share": lambda _: _mask_of_rows(slice(0, 30)),
    "a column": lambda _: np.arange(COLUMNS) != 1 + np.zeros((ROWS, COLUMNS)),
    "all": lambda _: np.zeros((ROWS, COLUMNS), bool),
}


def batch(residuals, mask, dtype, seed=0):
    """(y_true, y_pred, mask), of which the mask may be None."""
    rng = np.random.default_rng(seed)
    with np.errstate(over="ignore"):
        d = RESIDUALS[residuals](rng).astype(dtype)
    return np.zeros_like(d), d, MASKS[mask](rng)


def split(arrays, cuts):
    """The arrays of each replica; None for each of one that is None."""
    parts = [[None] * (len(cuts) + 1) if x is None else np.split(x, cuts) for x in arrays]
    return list(zip(*parts, strict=True))


def assert_same(actual, expected):
    """As numbers, in one dtype: NumPy does not know bfloat16's NaN."""
    assert np.asarray(actual).dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(*(np.asarray(x).astype(np.float64) for x in (actual, expected)))


def assert_close(actual, expected, tolerance):
    """Relative to the largest finite number; what is not finite is the same."""
    actual, expected = (np.asarray(x).astype(np.float64) for x in (actual, expected))
    finite = np.isfinite(expected)
    largest = np.max(np.abs(expected), where=finite, initial=0.0)
    np.testing.assert_array_equal(np.where(finite, 0.0, actual), np.where(finite, 0.0, expected))
    np.testing.assert_allclose(actual[finite], expected[finite], rtol=0, atol=tolerance * largest)
