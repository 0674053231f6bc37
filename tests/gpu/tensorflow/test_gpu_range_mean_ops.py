"""The range mean's ops on a GPU, by themselves and under XLA: what they are on the CPU."""

import numpy as np
import pytest

from tailops import build_info

if not build_info()["tensorflow"]:
    pytest.skip("tailops was built without TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")

BOUNDS = {"between": (0.13, 0.91), "largest": (5.5, 0.0), "at_least": (1.5, 7.0)}


def results(device, kind, axis, values, mask, jit_compile=False):
    from tailops._tensorflow.range_mean import range_mean, range_weights

    @tf.function(jit_compile=jit_compile)
    def step(values, bounds, mask):
        with tf.GradientTape() as tape:
            tape.watch(values)
            mean = range_mean(values, bounds, kind, axis, mask)
        weights = range_weights(values, bounds, kind, axis, mask)
        return mean, tape.gradient(mean, values), weights

    with tf.device(device):
        mask = None if mask is None else tf.constant(mask)
        found = step(tf.constant(values), tf.constant(BOUNDS[kind], tf.float64), mask)
        return [tf.cast(t, tf.float64).numpy() for t in found]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, "bfloat16"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((30, 40), None), ((30, 40), 0), ((30, 40), 1), ((2, 40_000), 1)]
)
def test_the_same_as_on_the_cpu(shape, axis, dtype, jit_compile):
    rng = np.random.default_rng(0)
    values = (rng.integers(-50, 50, shape) / 8).astype(dtype)
    values[1, 4] = -np.inf
    kept = rng.random(shape) < 0.7
    kept[:6], kept[:, :6] = True, True
    kept[1, 4] = False
    tolerance = 2e-2 if values.dtype.itemsize == 2 else 1e-5
    for kind in BOUNDS:
        for mask in (None, kept):
            found = results("GPU:0", kind, axis, values, mask, jit_compile)
            expected = results("CPU:0", kind, axis, values, mask)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=1e-6, err_msg=kind)


def test_xla_calls_our_kernels_and_bounds_are_data():
    from tailops._tensorflow.range_mean import range_mean

    traces = []

    @tf.function(jit_compile=True)
    def mean(x, bounds):
        traces.append(1)
        return range_mean(x, bounds, "between", None)

    with tf.device("GPU:0"):
        x = tf.range(10.0)
        for low, expected in ((0.0, 4.5), (0.5, 7.0), (0.8, 8.5)):
            assert mean(x, tf.constant([low, 1.0], tf.float64)) == expected
        bounds = tf.constant([0.5, 1.0], tf.float64)
        assert "tailops_range_mean" in mean.experimental_get_compiler_ir(x, bounds)(stage="hlo")
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("kind", "bounds", "message"),
    [
        ("between", (0.5, 0.25), r"lower=0\.5, upper=0\.25: must be 0 <= lower < upper <= 1"),
        ("largest", (4.5, 0.0), r"k=4\.5: must be at most the number of valid values.* is 4"),
        ("at_least", (0.0, 0.0), r"threshold=0, min_kept=0: .* at least 1"),
    ],
)
def test_bounds_that_are_no_range(kind, bounds, message):
    """Without XLA an error; inside it NaN, for nothing waits for what the device holds."""
    from tailops._tensorflow.range_mean import range_mean

    def step(x, bounds):
        with tf.GradientTape() as tape:
            tape.watch(x)
            mean = range_mean(x, bounds, kind, 1)
        return mean, tape.gradient(mean, x)

    with tf.device("GPU:0"):
        x, bounds = tf.reshape(tf.range(8.0), (2, 4)), tf.constant(bounds, tf.float64)
        with pytest.raises(tf.errors.InvalidArgumentError, match="RangeMean.*" + message):
            tf.function(step)(x, bounds)
        for found in tf.function(step, jit_compile=True)(x, bounds):
            assert np.isnan(found).all()


def test_more_than_are_valid_is_nan():
    """How many elements are valid, only the device knows."""
    from tailops._tensorflow.range_mean import range_mean

    with tf.device("GPU:0"):
        mask = tf.constant([[True, True, False], [True, False, False], [False] * 3])
        mean = range_mean(tf.ones((3, 3)), (2.0, 0.0), "largest", 1, mask)
    np.testing.assert_array_equal(mean, [1, np.nan, 0])
