"""Range means by weights: as of so many copies, the reference, gradients, and wrong weights."""

import numpy as np
import pytest
import tensorflow as tf

from tailops.ops import cvar, range_mean, trimmed_mean

MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}
BOUNDS = [(0.0, 1.0), (0.3, 0.8), (0.9, 1.0), (0.0, 0.25)]


@pytest.fixture(params=MODES)
def mode(request):
    return MODES[request.param]


def batch(dtype="float32"):
    rng = np.random.default_rng(0)
    values = (rng.integers(-20, 20, (3, 60, 4)) / 4).astype(dtype)
    weights = rng.integers(0, 4, values.shape).astype("float32")
    weights[..., 0] += 1
    return values, weights


def gradient(function, values, weights):
    with tf.GradientTape() as tape:
        tape.watch([values, weights])
        value = function(values, weights)
    return value, *tape.gradient(value, [values, weights])


@pytest.mark.parametrize(("lower", "upper"), BOUNDS)
def test_as_many_copies(mode, lower, upper):
    values, weights = batch()
    found = mode(lambda v, w: range_mean(v, lower, upper, weights=w))(values, weights)
    repeated = np.repeat(values.reshape(-1), weights.reshape(-1).astype(int))
    np.testing.assert_allclose(found, range_mean(repeated, lower, upper), rtol=2e-6)


def test_the_others():
    values, weights = batch()
    repeated = np.repeat(values.reshape(-1), weights.reshape(-1).astype(int))
    for function, p in ((cvar, 0.7), (trimmed_mean, 0.3)):
        found = function(values, p, weights=weights)
        np.testing.assert_allclose(found, function(repeated, p), rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("axis", [None, 1, (0, 2)])
@pytest.mark.parametrize("masked", [False, True])
def test_the_reference(mode, dtype, axis, masked):
    values, weights = (tf.constant(x) for x in batch())
    values = tf.cast(values, dtype)
    mask = values > -3 if masked else None
    for lower, upper in BOUNDS:

        def mean(v, w, impl="fused", lower=lower, upper=upper):
            return range_mean(v, lower, upper, axis, mask=mask, weights=w, impl=impl)

        ours = mode(lambda v, w, mean=mean: gradient(mean, v, w))(values, weights)
        theirs = gradient(lambda v, w, mean=mean: mean(v, w, "reference"), values, weights)
        tolerance = {"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 2e-6)
        assert ours[0].dtype == ours[1].dtype == dtype
        assert ours[2] is None
        for a, b in zip(ours[:2], theirs[:2], strict=True):
            a, b = (tf.cast(x, "float64").numpy() for x in (a, b))
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        total = tf.reduce_sum(tf.cast(ours[1], "float64"))
        np.testing.assert_allclose(total, tf.size(ours[0]), rtol=4e-2 if "16" in dtype else 1e-5)


def test_weights_along_the_axis_and_no_weight_at_all():
    values, _ = batch()
    along = np.arange(60.0)
    found = cvar(values, 0.5, axis=1, weights=along)
    whole = np.broadcast_to(along[:, None], values.shape)
    np.testing.assert_array_equal(found, cvar(values, 0.5, axis=1, weights=whole))
    nothing = whole * (np.arange(4) > 1)
    found = cvar(values, 0.5, axis=1, weights=nothing)
    np.testing.assert_array_equal(found[:, :2], 0)
    mean = cvar(values, 0.5, axis=1, weights=nothing, reduction="mean")
    np.testing.assert_allclose(mean, np.mean(found[:, 2:]), rtol=1e-6)


def test_infinite_and_nan():
    values = np.array([1.0, 2.0, np.inf, 4.0])
    found = cvar(values, 0.5, weights=[1.0, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(found, (0.5 * 2.0 + 4.0) / 1.5, rtol=1e-12)
    assert np.isinf(cvar(values, 0.5, weights=[1.0, 1.0, 1.0, 1.0]))
    values[0] = np.nan
    assert np.isnan(cvar(values, 0.5, weights=[0.0, 1.0, 1.0, 1.0]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"weights": [1.0, -1.0]}, ValueError, "weights: one is -1.0: must be finite and at least"),
        ({"weights": [1.0]}, ValueError, r"weights of shape \(1,\): must be that of x, \(2,\)"),
        ({"weights": [1j, 1]}, TypeError, "weights of dtype complex128: must be real numbers"),
        ({"weights": [1, 1], "synchronized": True}, ValueError, "synchronized=True with weights"),
    ],
)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        cvar([1.0, 2.0], 0.5, **call)
