"""Numbers that are tensors or variables: read at each step, nothing is traced or compiled anew."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops import build_info
from tailops.losses import AverageTopKLoss, CVaRLoss, OHEMLoss, TrimmedLoss
from tailops.ops import average_top_k, cvar, ohem, range_mean, tail_mask, trimmed_mean

V = np.random.default_rng(0).standard_normal((8, 30)).astype("float32")
# Of two numbers, what is computed.
CALLS = {
    "range_mean": lambda a, b: range_mean(V, a, b, axis=1),
    "cvar": lambda a, _: cvar(V, a, axis=1),
    "trimmed_mean": lambda a, _: trimmed_mean(V, a, axis=1),
    "average_top_k": lambda _, b: average_top_k(V, 10 * b, axis=1),
    "ohem": lambda a, b: ohem(V, a, 5 + 0 * b, axis=1),
    "tail_mask": lambda a, b: tail_mask(V, a, b, axis=1),
}
HOW = {
    "in a graph": (keras.Variable, False),
    "compiled": (tf.Variable, True),
    "TensorFlow's in a graph": (tf.Variable, False),
    "Keras's, compiled": (keras.Variable, True),
}
NUMBERS = [(0.0, 0.5), (0.25, 0.75), (0.5, 0.625), (0.125, 1.0)]


@pytest.mark.parametrize("how", quick("in a graph", "compiled", of=list(HOW)))
@pytest.mark.parametrize("dtype", quick("float32", of=["float32", "float64"]))
@pytest.mark.parametrize("name", CALLS)
def test_variables(name, dtype, how):
    kind, jit_compile = HOW[how]
    if jit_compile and not build_info()["xla"]:
        pytest.skip("built without XLA")
    a, b = kind(0.0, dtype=dtype), kind(0.5, dtype=dtype)
    function = tf.function(lambda: CALLS[name](a, b), jit_compile=jit_compile)
    for low, high in NUMBERS:
        a.assign(low)
        b.assign(high)
        np.testing.assert_array_equal(function(), CALLS[name](low, high))
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("name", CALLS)
def test_arguments(name):
    spec = tf.TensorSpec([], tf.float64)
    function = tf.function(CALLS[name], input_signature=[spec, spec])
    for numbers in NUMBERS:
        np.testing.assert_array_equal(function(*numbers), CALLS[name](*numbers))
    assert function.experimental_get_tracing_count() == 1


def test_integers_and_narrow_floats():
    for dtype in ("int32", "int64", "uint8", "float16", "bfloat16"):
        np.testing.assert_array_equal(average_top_k(V, tf.constant(4, dtype)), average_top_k(V, 4))
    np.testing.assert_array_equal(average_top_k(V, np.int64(4)), average_top_k(V, 4))
    np.testing.assert_array_equal(ohem(V, 0.5, tf.constant(9)), ohem(V, 0.5, 9))


def test_no_gradient_by_the_numbers():
    p = tf.Variable(0.5, dtype=tf.float64)
    with tf.GradientTape() as tape:
        value = cvar(V, p)
    assert tape.gradient(value, p) is None


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.extended)])
@pytest.mark.parametrize(
    ("make", "schedule"),
    [
        (lambda v: CVaRLoss("mae", v), [0.0, 0.5, 0.9]),
        (lambda v: TrimmedLoss("mae", v), [0.0, 0.5, 0.9]),
        (lambda v: AverageTopKLoss("mae", fraction=v), [1.0, 0.5, 0.1]),
        (lambda v: AverageTopKLoss("mae", k=v), [20.0, 10.0, 1.0]),
        (lambda v: OHEMLoss("mae", threshold=v, min_kept=2), [0.0, 0.5, 9.0]),
    ],
)
def test_a_schedule_while_training(make, schedule, jit_compile):
    """A callback assigns what the loss reads; the step is traced once."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)).astype("float32"), rng.standard_normal((20, 1))
    number = keras.Variable(schedule[0])
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    loss = make(number)
    traced = []

    def counted(y_true, y_pred):
        traced.append(None)
        return keras.losses.mean_absolute_error(y_true, y_pred)

    loss.inner.loss = counted
    model.compile(keras.optimizers.SGD(0.0), loss, jit_compile=jit_compile)
    assign = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, _: number.assign(schedule[epoch])
    )
    options = {"batch_size": 20, "epochs": 3, "verbose": 0, "shuffle": False}
    found = model.fit(x, y, callbacks=[assign], **options).history["loss"]
    steps = len(traced)
    model.fit(x, y, callbacks=[assign], **options)
    assert len(traced) == steps
    expected = [float(make(s)(y, model.predict(x, verbose=0))) for s in schedule]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[0] < found[1] < found[2] or found[0] > found[1] > found[2]
    saved = loss.get_config()
    assert float(number) in saved.values()
