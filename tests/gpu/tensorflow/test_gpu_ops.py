"""The ops on a GPU, by themselves, under XLA and inside Keras, against the same on the CPU."""

import numpy as np
import pytest
from problems import RULES, assert_close, with_missing
from problems import with_residuals as problem_data

from tailops import build_info
from tailops._options import TailOptions

if not build_info()["tensorflow"]:
    pytest.skip("tailops was built without TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")


def loss_and_gradient(device, data, options, reduction, jit_compile=False, mask=None):
    from tailops import ops

    @tf.function(jit_compile=jit_compile)
    def step(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch([y_true, y_pred])
            loss = ops.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)
        return (loss, *tape.gradient(loss, [y_true, y_pred]))

    with tf.device(device):
        results = step(*(tf.constant(array) for array in data))
    for result in results:
        assert device in result.device or jit_compile
    return [result.numpy() for result in results]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean", "sum"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, "bfloat16"])
def test_the_same_as_on_the_cpu(dtype, reduction, jit_compile):
    for shape, axis in (((700, 3), None), ((700, 3), 0), ((60_000, 2), None)):
        data = problem_data("random", shape, dtype)
        options = TailOptions(0.9, 5.0, 3.0, 0.2, axis=axis)
        expected = loss_and_gradient("CPU:0", data, options, reduction)
        found = loss_and_gradient("GPU:0", data, options, reduction, jit_compile)
        for a, b in zip(found, expected, strict=True):
            assert_close(a, b, np.dtype(dtype), f"{shape} {axis}")


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean", "sum"])
def test_ignored_elements(reduction, jit_compile):
    for shape, axis in (((700, 3), None), ((700, 3), 0), ((60_000, 2), None)):
        kept = np.random.default_rng(0).random(shape) < 0.6
        for rule in RULES:
            options = TailOptions(0.9, 5.0, 3.0, 0.2, axis=axis)
            problem = with_missing(shape, rule, options, reduction, kept)
            data = problem.y_true, problem.y_pred
            how = problem.options, reduction
            expected = loss_and_gradient("CPU:0", data, *how, mask=problem.mask)
            found = loss_and_gradient("GPU:0", data, *how, jit_compile, mask=problem.mask)
            for a, b in zip(found, expected, strict=True):
                assert_close(a, b, np.float32, str(problem))


def test_xla_calls_our_kernels():
    from tailops import ops

    compiled = tf.function(lambda y: ops.tail_loss(0 * y, y), jit_compile=True)
    with tf.device("GPU:0"):
        y = tf.random.normal((1000,))
        compiled(y)
        assert "tailops_tail_loss" in compiled.experimental_get_compiler_ir(y)(stage="hlo")


def test_fit_with_the_default_jit_compile():
    """Keras compiles for a GPU by itself: elementwise layers, which need no library of NVIDIA's."""
    import keras

    from tailops.losses import PercentileLoss

    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros")

        def call(self, x):
            return x * self.scale

    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 4)).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), Scale()])
    model.compile("adam", PercentileLoss(0.9, 5.0, gradient="fixed_weight"))
    losses = model.fit(x, 2 * x, batch_size=250, epochs=5, verbose=0).history["loss"]
    assert model.jit_compile
    assert losses[-1] < losses[0]
    assert np.isfinite(losses).all()


def test_an_empty_tensor_is_an_error_that_names_the_op():
    from tailops import ops

    with tf.device("GPU:0"), pytest.raises(tf.errors.InvalidArgumentError, match="TailLoss"):
        ops.tail_loss(tf.zeros((0,)), tf.zeros((0,)))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_numbers_of_each_step(jit_compile):
    """They are in the host's memory for the op, and in the device's inside XLA."""
    from tailops.ops import tail_weighted

    values = np.random.default_rng(0).standard_normal((700, 3)).astype("float32")

    def loss_and_slope(values, *numbers):
        with tf.GradientTape() as tape:
            tape.watch(values)
            loss = tail_weighted(values, *numbers, axis=0)
        return loss, tape.gradient(loss, values)

    function = tf.function(loss_and_slope, jit_compile=jit_compile)
    for numbers in ((0.9, 5.0, 3.0), (0.5, 1.0, 0.0), (1.0, 0.0, 9.0)):
        with tf.device("GPU:0"):
            given = [tf.constant(number, tf.float64) for number in numbers]
            found = function(tf.constant(values), *given)
        with tf.device("CPU:0"):
            expected = loss_and_slope(tf.constant(values), *numbers)
        for a, b in zip(found, expected, strict=True):
            assert_close(a.numpy(), b.numpy(), np.float32, str(numbers))
    assert function.experimental_get_tracing_count() == 1
    if jit_compile:
        with (
            tf.device("GPU:0"),
            pytest.raises(tf.errors.InvalidArgumentError, match="percentile=9"),
        ):
            function(tf.constant(values), *(tf.constant(9.0, tf.float64) for _ in range(3)))
