"""The selection ops on a GPU, by themselves and under XLA: the bits of the CPU."""

import numpy as np
import pytest

from tailops import build_info

if not build_info()["tensorflow"]:
    pytest.skip("tailops was built without TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")


def functions():
    from tailops import ops

    return {
        "scalar q": lambda x: ops.quantile(x, 0.5),
        "rows": lambda x: ops.quantile(x, [0.1, 0.9], axis=1),
        "columns": lambda x: ops.quantile(x, [0.1, 0.9], axis=0, method="nearest"),
        "nanquantile": lambda x: ops.nanquantile(x, 0.3, axis=-1),
        "nth_element": lambda x: ops.nth_element(x, 3, reverse=True),
        "top_k_mean": lambda x: ops.top_k_mean(x, 5, axis=1),
    }


def value_and_gradient(device, function, x, jit_compile=False):
    @tf.function(jit_compile=jit_compile)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return value, tape.gradient(value, x)

    with tf.device(device):
        return [tf.cast(t, tf.float64).numpy() for t in step(tf.constant(x))]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, "bfloat16"])
@pytest.mark.parametrize("shape", [(30, 40), (3, 60_000)])
def test_the_same_as_on_the_cpu(shape, dtype, jit_compile):
    x = np.random.default_rng(0).integers(-50, 50, shape) / 8
    x[1, 4] = np.nan
    x = x.astype(dtype)
    for name, function in functions().items():
        found = value_and_gradient("GPU:0", function, x, jit_compile)
        expected = value_and_gradient("CPU:0", function, x)
        # The sums of top_k_mean are TensorFlow's.
        tolerance = 0 if name != "top_k_mean" else 2e-2 if x.dtype.itemsize == 2 else 1e-5
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, err_msg=name)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
def test_integers(dtype, jit_compile):
    from tailops.ops import nth_element

    x = np.random.default_rng(0).integers(0, 100, (5, 700)).astype(dtype)
    with tf.device("GPU:0"):
        found = tf.function(nth_element, jit_compile=jit_compile)(tf.constant(x), 7)
    np.testing.assert_array_equal(found, np.sort(x, axis=1)[:, 7])


def test_xla_calls_our_kernels():
    from tailops.ops import quantile

    compiled = tf.function(lambda x: quantile(x, [0.5, 0.9]), jit_compile=True)
    with tf.device("GPU:0"):
        x = tf.random.normal((1000,))
        compiled(x)
        assert "tailops_select" in compiled.experimental_get_compiler_ir(x)(stage="hlo")


def test_a_q_that_only_run_time_knows():
    """Without XLA an error; inside it NaN, for nothing waits for what the device holds."""
    from tailops.ops import quantile

    x = tf.constant([1.0, 2.0])
    with tf.device("GPU:0"):
        plain = tf.function(lambda q: quantile(x, q))
        compiled = tf.function(lambda q: quantile(x, q), jit_compile=True)
        assert compiled(tf.constant(0.5, tf.float64)) == 1.5
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"q=1\.25: must be in \[0, 1\]"):
            plain(tf.constant(1.25))
        assert np.isnan(compiled(tf.constant(1.25, tf.float64)))
