"""Quantiles against NumPy: methods, axes, keepdims, dtypes and sizes, with NaN and infinities."""

import itertools

import kinds
import numpy as np
import pytest
import tensorflow as tf
from families import EXTREME_FAMILIES, FAMILIES, residuals
from quick import quick

from tailops._options import RANK_RULES as METHODS
from tailops.ops import median, nanquantile, quantile

NUMPYS = [method for method in METHODS if method != "floor"]
QS = [0.0, 0.1, 1 / 3, 0.5, 0.95, 0.99, 1.0]
AXES = [None, 0, 1, 2, -1, -3, (0, 1), (1, 2), (0, 2), (2, 0), (-1, -2), (0, 1, 2), [1], ()]


def numpys(x, q, axis=None, method="linear", keepdims=False, nan=False):
    """NumPy's result, in x's dtype also where q is an array."""
    return np.asarray(_numpys(x, q, axis, method, keepdims, nan)).astype(x.dtype)


def _numpys(x, q, axis, method, keepdims, nan):
    function = np.nanquantile if nan else np.quantile
    if axis == ():
        return np.broadcast_to(x, (*np.shape(q), *x.shape))
    axis = tuple(axis) if isinstance(axis, list) else axis
    with np.errstate(all="ignore"):
        if method != "floor":
            return function(x, q, axis=axis, method=method, keepdims=keepdims)
        n = x.size if axis is None else np.prod(np.array(x.shape)[list(np.atleast_1d(axis))])
        rank = np.minimum(np.floor(n * np.asarray(q)), n - 1)
        return function(x, rank / max(n - 1, 1), axis=axis, method="nearest", keepdims=keepdims)


@pytest.mark.parametrize("method", quick(*kinds.METHODS[:-1], of=METHODS))
@pytest.mark.parametrize("axis", AXES, ids=str)
def test_axes_and_keepdims(method, axis):
    x = np.random.default_rng(0).standard_normal((4, 5, 6)).astype("float32")
    for q, keepdims in itertools.product((0.3, QS, [[0.1, 0.9], [0.5, 0.5]]), (False, True)):
        if axis == () and keepdims:
            continue
        value = quantile(x, q, axis, method, keepdims)
        expected = numpys(x, q, axis, method, keepdims)
        assert value.shape == expected.shape
        assert value.dtype == tf.float32
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("method", quick(*kinds.METHODS[1:-1], of=NUMPYS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("family", FAMILIES)
def test_same_bits_as_numpy(family, dtype, method):
    for n in (*range(1, 20), 70, 2047, 2048, 2049, 8192, 8193, 50_001):
        x = residuals(family, n, dtype)
        np.testing.assert_array_equal(quantile(x, QS, method=method), numpys(x, QS, None, method))


@pytest.mark.parametrize("family", EXTREME_FAMILIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extreme_values(family, dtype):
    for n in (1, 5, 70, 3000, 100_000):
        x = residuals(family, n, dtype)
        for method in ("lower", "higher", "nearest"):
            with np.errstate(all="ignore"):
                expected = np.sort(x)[np.quantile(np.arange(n), QS, method=method)]
            np.testing.assert_array_equal(quantile(x, QS, method=method), expected)


def test_every_small_size():
    rng = np.random.default_rng(0)
    for n in range(1, 71):
        x = rng.standard_normal((3, n)).astype("float32")
        x[0] = np.round(x[0])
        for method in METHODS:
            np.testing.assert_allclose(
                quantile(x, QS, 1, method), numpys(x, QS, 1, method), rtol=1e-6
            )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("family", [*FAMILIES, "infinite", "subnormal"])
def test_half_precision_picks_elements(dtype, family):
    for n in (1, 7, 300, 5000, 40_001):
        x = residuals(family, n, dtype)
        ranks = np.quantile(np.arange(n), QS, method="nearest")
        value = quantile(x, QS, method="nearest")
        assert value.dtype == dtype
        expected = np.sort(x.astype("float32"))[ranks]
        np.testing.assert_array_equal(tf.cast(value, tf.float32), expected)


def test_half_precision_interpolates_in_float32():
    x = tf.constant([0.0, 2048.0], tf.float16)
    assert quantile(x, 0.3) == tf.cast(614.4, tf.float16)


@pytest.mark.parametrize("shape", [(3000, 5), (300, 40), (3, 2500, 3), (2, 70_000, 2), (40, 17)])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_rows_and_columns_of_many_sizes(shape, axis):
    x = np.random.default_rng(0).standard_normal(shape).astype("float32")
    x[np.random.default_rng(1).random(shape) < 0.001] = np.nan
    for function, nan in ((quantile, False), (nanquantile, True)):
        np.testing.assert_array_equal(
            function(x, [0.5, 0.99], axis), numpys(x, [0.5, 0.99], axis, nan=nan)
        )


def test_many_quantiles_at_once():
    x = np.random.default_rng(0).standard_normal(30_000)
    q = np.random.default_rng(1).permutation(np.linspace(0, 1, 101))
    np.testing.assert_array_equal(quantile(x, q), np.quantile(x, q))
    np.testing.assert_array_equal(quantile(x[:50], q), np.quantile(x[:50], q))


@pytest.mark.parametrize("n", [1, 8, 3000, 100_000])
def test_nan(n):
    rng = np.random.default_rng(0)
    for count in (1, n // 2 + 1, n):
        x = rng.standard_normal(n)
        x[rng.permutation(n)[:count]] = np.nan
        x[0] = -np.nan
        assert np.isnan(quantile(x, QS)).all()
        if np.isnan(x).all():
            assert np.isnan(nanquantile(x, QS)).all()
        else:
            np.testing.assert_array_equal(nanquantile(x, QS), np.nanquantile(x, QS))


def test_nan_touches_its_own_group_only():
    x = np.arange(12.0).reshape(3, 4)
    x[1, 2] = np.nan
    np.testing.assert_array_equal(quantile(x, 0.5, axis=1), [1.5, np.nan, 9.5])
    np.testing.assert_array_equal(quantile(x, 0.5, axis=0), [4, 5, np.nan, 7])
    np.testing.assert_array_equal(nanquantile(x, 0.5, axis=1), [1.5, 5, 9.5])


def test_infinities():
    inf = np.inf
    assert quantile([inf, inf], 0.3) == inf
    assert np.isnan(quantile([-inf, inf], 0.5))
    assert quantile([1.0, inf], 0.5, method="midpoint") == inf
    assert quantile([-inf, 1.0, inf], 0.5) == 1
    assert quantile([1.0, inf], 0.0) == 1


def test_signed_zeros_are_equal():
    assert quantile([0.0, -0.0, 0.0], 0.5) == 0


@pytest.mark.parametrize("n", [9, 10, 3001])
def test_median(n):
    x = np.random.default_rng(0).standard_normal((2, n, 3))
    for axis in (None, 1, (0, 2)):
        for keepdims in (False, True):
            value = median(x, axis, keepdims)
            np.testing.assert_allclose(value, np.median(x, axis, keepdims=keepdims), atol=1e-14)


def test_as_keras():
    import keras

    x = np.random.default_rng(0).standard_normal((6, 7, 8)).astype("float32")
    for axis, q in itertools.product((None, 1, (0, 2)), (0.3, np.float32([0.25, 0.9]))):
        np.testing.assert_allclose(
            quantile(x, q, axis), keras.ops.quantile(x, q, axis), rtol=1e-6, atol=1e-7
        )


def test_large_ranks_are_exact():
    """In float32 the rank is wrong from 2²⁴ on; and what the floor of n·p is."""
    x = np.arange(20_000_001, dtype="float64")
    assert quantile(x, 0.7, method="lower") == 14_000_000
    assert quantile(x, 19_999_999 / 20_000_000, method="nearest") == 19_999_999
    assert quantile(x[:200], 0.95, method="floor") == 190


def test_q_of_every_kind():
    x = np.arange(11.0)
    for q in (1, True + 0, np.float32(0.5), np.int64(0), tf.constant(0.5), tf.constant([0, 1])):
        np.testing.assert_array_equal(quantile(x, q), np.quantile(x, np.asarray(q)))
    assert quantile(x, []).shape == (0,)
    assert quantile(np.zeros((0, 3)), 0.5, axis=1).shape == (0,)


@pytest.mark.extended
def test_same_bits_on_one_thread_and_on_several():
    from processes import run_python

    code = """
        import sys
        import numpy as np
        import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
        from tailops.ops import quantile
        x = np.random.default_rng(0).standard_normal(300_000)
        print(quantile(x, [0.1, 0.5, 0.999]).numpy().tobytes().hex())
    """
    assert run_python(code, "1") == run_python(code, "4")
