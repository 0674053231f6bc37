"""Percentages, medians, integers and booleans, places, axes of nth_element, x of unknown rank."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels
from tailops._options import RANK_RULES as METHODS
from tailops.ops import (
    median,
    nanmedian,
    nanpercentile,
    nanquantile,
    nth_element,
    percentile,
    quantile,
    top_k_mean,
)

INTERPOLATING = _kernels.INTERPOLATING_METHODS
DISCRETE = [method for method in METHODS if method not in INTERPOLATING]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}


def with_nan(shape=(4, 5, 6)):
    x = np.random.default_rng(0).integers(-20, 20, shape) / 4
    return np.where(np.random.default_rng(1).random(shape) < 0.2, np.nan, x)


def test_every_method_is_numpys():
    """All that NumPy has; and ours are the losses'."""
    with pytest.raises(ValueError, match="must be one of") as refused:
        quantile([1.0], 0.5, method="none")
    for method in METHODS:
        assert f"'{method}'" in str(refused.value)
    from numpy.lib import _function_base_impl

    assert {*_function_base_impl._QuantileMethods} == {*METHODS} - {"floor"}


@pytest.mark.parametrize("method", METHODS)
def test_percent(method):
    x = with_nan()
    q = [0, 12.5, 50, 99, 100]
    for ours, numpys, y in [
        (percentile, np.percentile, np.nan_to_num(x)),
        (nanpercentile, np.nanpercentile, x),
        (percentile, np.percentile, x),
    ]:
        value = ours(y, q, axis=(0, 2), method=method, keepdims=True)
        if method == "floor":
            by_fractions = quantile if ours is percentile else nanquantile
            expected = by_fractions(y, np.array(q) / 100, (0, 2), method, keepdims=True)
        else:
            expected = numpys(y, q, axis=(0, 2), method=method, keepdims=True)
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("axis", [None, 0, (0, 2), -1])
def test_medians(axis):
    x = with_nan()
    np.testing.assert_array_equal(nanmedian(x, axis), np.nanmedian(x, axis))
    np.testing.assert_array_equal(
        nanmedian(x, axis, keepdims=True), np.nanmedian(x, axis, keepdims=True)
    )
    with tf.GradientTape() as tape:
        tensor = tf.Variable(x)
        value = nanmedian(tensor, axis)
    assert not np.isnan(tape.gradient(value, tensor)).any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_keep_their_dtype_where_nothing_interpolates(dtype, mode):
    limits = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(limits.min, limits.max, (7, 30), dtype, endpoint=True)
    q = [0.0, 0.3, 0.5, 1.0]

    def all_methods(x):
        return [quantile(x, q, axis=1, method=method) for method in DISCRETE]

    for method, value in zip(DISCRETE, MODES[mode](all_methods)(tf.constant(x)), strict=True):
        assert value.dtype == dtype
        if method != "floor":
            np.testing.assert_array_equal(value, np.quantile(x, q, axis=1, method=method))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint16", "bool"])
def test_integers_become_floats_as_in_keras_where_a_method_interpolates(dtype, mode):
    x = np.random.default_rng(0).integers(0, 100, (7, 31)).astype(dtype)

    def all_of_them(x):
        quantiles = [quantile(x, [0.3, 0.6], axis=1, method=method) for method in INTERPOLATING]
        return quantiles, median(x, axis=0), nanmedian(x, axis=0), top_k_mean(x, 3, axis=1)

    quantiles, of_columns, without_nan, largest = MODES[mode](all_of_them)(tf.constant(x))
    wide = x.astype("float32")
    for method, value in zip(INTERPOLATING, quantiles, strict=True):
        assert value.dtype == keras.ops.quantile(x, 0.5).dtype == keras.config.floatx()
        expected = np.quantile(wide, np.array([0.3, 0.6]), axis=1, method=method)
        np.testing.assert_allclose(value, expected, rtol=1e-6)
    np.testing.assert_array_equal(of_columns, np.median(wide, axis=0))
    np.testing.assert_array_equal(without_nan, of_columns)
    np.testing.assert_allclose(largest, np.sort(wide, 1)[:, -3:].mean(1), rtol=1e-6)


def test_booleans_stay_booleans():
    x = np.random.default_rng(0).random((5, 9)) < 0.4
    for method in DISCRETE:
        value = quantile(x, [0.2, 0.7], axis=1, method=method, keepdims=True)
        assert value.dtype == tf.bool
        expected = quantile(x.astype(int), [0.2, 0.7], axis=1, method=method, keepdims=True)
        np.testing.assert_array_equal(value, expected.numpy().astype(bool))


def first_places(x, value, axis):
    """Of every group, by NumPy."""
    flat = x.reshape(-1) if axis is None else x
    along = 0 if axis is None else axis
    looked_for = np.expand_dims(value, along)
    found = (flat == looked_for) | ((flat != flat) & (looked_for != looked_for))
    assert found.any(along).all()
    return found.argmax(along)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_places_are_those_of_the_first_of_equals(dtype, axis, mode):
    x = np.random.default_rng(0).integers(-3, 4, (6, 7, 8))
    x = x.astype(dtype)
    if dtype.startswith("float"):
        x[2, 3, 4] = np.nan
    for function in (quantile, nanquantile):
        for q in (0.4, [0.0, 0.5, 1.0], [[0.25], [0.75]]):
            for keepdims in (False, True):
                value, place = MODES[mode](
                    lambda x, function=function, q=q, keepdims=keepdims: function(
                        x, q, axis, "lower", keepdims, return_indices=True
                    )
                )(tf.constant(x))
                assert place.dtype == tf.int64
                assert place.shape == value.shape
                value, place = value.numpy(), place.numpy()
                if keepdims:
                    kept = tuple(range(-3, 0)) if axis is None else axis % 3 - 3
                    value, place = np.squeeze(value, kept), np.squeeze(place, kept)
                dimensions = np.ndim(q)
                for i in np.ndindex(np.shape(q)):
                    expected = first_places(x, value[i] if dimensions else value, axis)
                    np.testing.assert_array_equal(place[i] if dimensions else place, expected)


def test_places_among_several_axes_count_in_the_order_of_memory():
    x = np.random.default_rng(0).permutation(60).reshape(3, 4, 5)
    value, place = quantile(x, 0.5, axis=(1, 2), method="nearest", return_indices=True)
    np.testing.assert_array_equal(x.reshape(3, 20)[np.arange(3), place], value)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_axes_of_nth_element(axis, reverse, mode):
    x = np.random.default_rng(0).integers(0, 9, (4, 5, 6)).astype("float32")

    def third(x):
        return nth_element(x, 2, reverse, axis, return_indices=True)

    value, place = MODES[mode](third)(tf.constant(x))
    ordered = np.sort(x, axis)
    np.testing.assert_array_equal(value, np.take(ordered, -3 if reverse else 2, axis))
    np.testing.assert_array_equal(place, first_places(x, value.numpy(), axis))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, -2])
@pytest.mark.parametrize("keepdims", [False, True])
def test_unknown_rank(axis, keepdims):
    @tf.function(input_signature=[tf.TensorSpec(None)])
    def several(x):
        return (
            quantile(x, 0.3, axis, keepdims=keepdims),
            quantile(x, [[0.3, 0.5]], axis, keepdims=keepdims),
            *quantile(x, [0.3], axis, "lower", keepdims, return_indices=True),
            top_k_mean(x, 2, axis, keepdims),
        )

    for shape in ((3, 4), (3, 4, 5)):
        x = np.random.default_rng(0).standard_normal(shape).astype("float32")
        one, more, low, place, largest = several(x)
        known = {"axis": axis, "keepdims": keepdims}
        np.testing.assert_array_equal(one, quantile(x, 0.3, **known))
        np.testing.assert_array_equal(more, quantile(x, [[0.3, 0.5]], **known))
        expected = quantile(x, [0.3], **known, method="lower", return_indices=True)
        np.testing.assert_array_equal(low, expected[0])
        np.testing.assert_array_equal(place, expected[1])
        np.testing.assert_array_equal(largest, top_k_mean(x, 2, **known))


def test_a_symbolic_tensor_has_places_too():
    inputs = keras.Input((5,))
    outputs = quantile(inputs, 0.5, axis=1, method="lower", return_indices=True)
    model = keras.Model(inputs, list(outputs))
    x = np.random.default_rng(0).standard_normal((3, 5)).astype("float32")
    value, place = model(x)
    np.testing.assert_array_equal(np.take_along_axis(x, place.numpy()[:, None], 1)[:, 0], value)


@pytest.mark.parametrize("mode", MODES)
def test_percentages_that_only_run_time_knows(mode):
    """70 % is 0.7, and not the number behind it, which is another element."""
    x, q = tf.range(100.0), tf.range(101.0)
    found = MODES[mode](lambda x, q: percentile(x, q, method="inverted_cdf"))(x, q)
    expected = np.percentile(x.numpy(), np.arange(101.0), method="inverted_cdf")
    np.testing.assert_array_equal(found, expected)
