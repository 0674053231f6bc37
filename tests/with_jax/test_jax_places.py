"""Where `tailops.jax` has selected an element: `return_indices`."""

import numpy as np
import pytest
from quick import quick

from tailops import _kernels, build_info
from tailops._options import RANK_RULES

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

QS = np.array([[0.0, 0.3], [0.5, 1.0]])
RNG = np.random.default_rng(0)
TIES = RNG.integers(-4, 4, (3, 8, 5)).astype("float32")
DISCRETE = [m for m in RANK_RULES if m not in _kernels.INTERPOLATING_METHODS]


def first_of(rows, value, counts=True):
    """Along the last axis."""
    same = (rows == value[..., None]) | (np.isnan(rows) & np.isnan(value[..., None]))
    return np.argmax(same & counts, -1)


DTYPES = ["float32", "float16", "bfloat16", "int32", "uint8", "bool"]


@pytest.mark.parametrize("x64_mode", [False, True])
@pytest.mark.parametrize("dtype", quick("float16", "int32", "bool", of=DTYPES))
def test_the_first_of_equal_elements(dtype, x64_mode):
    jax.config.update("jax_enable_x64", x64_mode)
    x = (TIES > 0 if dtype == "bool" else abs(TIES)).astype(dtype)

    @jax.jit
    def of_every_method(x):
        return {m: tj.quantile(x, QS, 1, m, return_indices=True) for m in DISCRETE}

    for method, (value, places) in of_every_method(x).items():
        assert places.dtype == ("int64" if x64_mode else "int32")
        assert value.dtype == x.dtype
        np.testing.assert_array_equal(value, tj.quantile(x, QS, 1, method))
        rows = np.moveaxis(x, 1, -1).astype(float)
        np.testing.assert_array_equal(places, first_of(rows, np.asarray(value, float)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, (2, 0), (0, 1), ()])
def test_axes_and_shapes(axis, keepdims):
    for q in (0.3, [0.3], QS, []):
        found = tj.percentile(
            TIES, 100 * np.array(q), axis, "nearest", keepdims, return_indices=True
        )
        value, places = (np.asarray(part) for part in found)
        assert value.shape == places.shape
        axes = range(3) if axis is None else tuple(a % 3 for a in np.atleast_1d(axis).astype(int))
        rest = [a for a in range(3) if a not in axes]
        rows = np.transpose(TIES, [*rest, *sorted(axes)])
        rows = rows.reshape(*rows.shape[: len(rest)], -1)
        expected = first_of(rows, value.reshape(np.shape(q) + rows.shape[:-1]))
        np.testing.assert_array_equal(places.ravel(), expected.ravel())


def test_nan():
    x = np.float32([3.0, np.nan, 1.0, np.nan])
    value, place = tj.quantile(x, 0.5, method="lower", return_indices=True)
    assert (np.isnan(value), place) == (True, 1)
    value, place = tj.nanquantile(x, 0.0, method="lower", return_indices=True)
    assert (value, place) == (1.0, 2)
    value, place = tj.nanpercentile(x[1:2], 50, method="lower", return_indices=True)
    assert (np.isnan(value), place) == (True, 0)


def test_nth_element():
    for reverse in (False, True):
        value, places = tj.nth_element(TIES, 2, reverse, 1, return_indices=True)
        np.testing.assert_array_equal(value, tj.nth_element(TIES, 2, reverse, 1))
        np.testing.assert_array_equal(places, first_of(np.moveaxis(TIES, 1, -1), np.asarray(value)))
    large = jnp.array([2**31 - 1, 2**31 - 2, -(2**31)], jnp.int32)
    assert [int(part) for part in tj.nth_element(large, 1, return_indices=True)] == [2**31 - 2, 1]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
def test_with_weights_the_first_that_counts(dtype):
    x = TIES.astype(dtype)
    weights = RNG.integers(0, 2, x.shape).astype("float32")
    weights[:, 0] = 1
    value, places = jax.jit(
        lambda w: tj.quantile(x, QS, 1, "inverted_cdf", return_indices=True, weights=w)
    )(weights)
    rows, counts = (np.moveaxis(a, 1, -1).astype(float) for a in (x, weights))
    np.testing.assert_array_equal(places, first_of(rows, np.asarray(value, float), counts > 0))
    flat = tj.quantile(x, 0.5, None, "floor", return_indices=True, weights=np.float64(weights))
    assert flat[1] == first_of(x.ravel(), np.asarray(flat[0]), weights.ravel() > 0)


def test_derivatives_and_vmap():
    def function(x):
        return tj.quantile(x, 0.3, method="lower", return_indices=True)

    x = TIES[0, :, 0]
    expected = jax.grad(lambda x: function(x)[0])(x)
    slope, place = jax.grad(function, has_aux=True)(x)
    np.testing.assert_array_equal(slope, expected)
    assert x[place] == tj.quantile(x, 0.3, method="lower")
    (_, same), (moved, nothing) = jax.jvp(function, (x,), (np.ones_like(x),))
    assert (same, moved, nothing.dtype) == (place, 1.0, jax.dtypes.float0)
    values, places = jax.vmap(function, 1)(TIES[0])
    for i in range(5):
        assert (values[i], places[i]) == function(TIES[0, :, i])


@pytest.mark.parametrize("function", [tj.quantile, tj.nanpercentile])
def test_what_interpolates_has_no_place(function):
    for method in _kernels.INTERPOLATING_METHODS:
        with pytest.raises(ValueError, match=f"return_indices=True with method='{method}'"):
            function(TIES, 0.5, method=method, return_indices=True)
