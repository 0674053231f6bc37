"""Numbers that are tensors or variables: read at each step, nothing is traced or compiled anew."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import quick

from tailops import build_info
from tailops._tensorflow.library import library
from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    HybridPercentileLoss,
    MaxFractionLoss,
    OHEMLoss,
    PercentileLoss,
    TailWeightedLoss,
    TrimmedLoss,
    hybrid_percentile_loss,
    max_fraction_loss,
    percentile_loss,
)
from tailops.ops import (
    average_top_k,
    cvar,
    ohem,
    range_mean,
    tail_mask,
    tail_weighted,
    trimmed_mean,
)

absolute_error = keras.losses.mean_absolute_error
V = np.random.default_rng(0).standard_normal((8, 30)).astype("float32")
# Of two numbers, what is computed.
CALLS = {
    "range_mean": lambda a, b: range_mean(V, a, b, axis=1),
    "cvar": lambda a, _: cvar(V, a, axis=1),
    "trimmed_mean": lambda a, _: trimmed_mean(V, a, axis=1),
    "average_top_k": lambda _, b: average_top_k(V, 10 * b, axis=1),
    "ohem": lambda a, b: ohem(V, a, 5 + 0 * b, axis=1),
    "tail_mask": lambda a, b: tail_mask(V, a, b, axis=1),
    "tail_weighted": lambda a, b: tail_weighted(V, b, 4 * b, a, axis=1),
    "tail_weighted, a mask": lambda a, b: tail_weighted(V, b, 4 * b, a, mask=V > -1),
    "percentile_loss": lambda a, b: percentile_loss(0 * V, V, b, 4 * b, a),
    "max_fraction_loss": lambda a, b: max_fraction_loss(0 * V, V, b, 4 * b, a),
    "hybrid_percentile_loss": lambda a, b: hybrid_percentile_loss(0 * V, V, b, 4 * b, a, axis=0),
    "the reference": lambda a, b: percentile_loss(0 * V, V, b, 4 * b, a, impl="reference"),
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
        rounding = 1e-6 if name == "the reference" else 0  # XLA fuses its operations
        np.testing.assert_allclose(function(), CALLS[name](low, high), rtol=rounding)
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


@pytest.mark.parametrize("function", [cvar, tail_weighted])
def test_no_gradient_by_the_numbers(function):
    p = tf.Variable(0.5, dtype=tf.float64)
    with tf.GradientTape() as tape:
        value = function(V, p)
    assert tape.gradient(value, p) is None


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("gradient", ["exact", "fixed_threshold", "fixed_weight"])
def test_the_gradient_reads_them_too(gradient, jit_compile):
    if jit_compile and not build_info()["xla"]:
        pytest.skip("built without XLA")
    v = tf.constant(V)

    def slope(*numbers):
        with tf.GradientTape() as tape:
            tape.watch(v)
            total = tail_weighted(v, *numbers, mask=V < 1, gradient=gradient, reduction="mean")
        return tape.gradient(total, v)

    spec = tf.TensorSpec([], tf.float64)
    function = tf.function(slope, input_signature=3 * [spec], jit_compile=jit_compile)
    for p, b in NUMBERS:
        np.testing.assert_array_equal(function(p + 0.1, 9 * b, b), slope(p + 0.1, 9 * b, b))
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    "kind", [PercentileLoss, MaxFractionLoss, HybridPercentileLoss, TailWeightedLoss]
)
def test_losses_that_hold_variables(kind):
    """As those with numbers, fused or around values; saved with what the variables hold."""
    y_true, y_pred = np.zeros((20, 1), "float32"), V[0, :20, None]
    share = "fraction" if kind is MaxFractionLoss else "percentile"
    numbers = {share: 0.75, "smoothing_factor": 3.0, "error_scale": 2.0}
    variables = {name: keras.Variable(1.0, dtype="float64") for name in numbers}
    loss = kind(**variables)
    for factor in (1.0, 0.5):
        held = {name: factor * number for name, number in numbers.items()}
        for name, number in held.items():
            variables[name].assign(number)
        found = loss(y_true, y_pred)
        np.testing.assert_array_equal(found, kind(**held)(y_true, y_pred))
        saved = loss.get_config()
        assert {name: saved[name] for name in held} == held
        np.testing.assert_array_equal(kind.from_config(saved)(y_true, y_pred), found)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([[0.5, 1.0]], r"numbers of shape \(2,\) must have the shape \(3,\)"),
        ([[0.5, 1.0, 1.0]] * 2, "numbers is given 2 times: at most one is allowed"),
        ([[1.5, 1.0, 1.0]], r"percentile=1.5: must be a fraction in \(0, 1\]"),
        ([[0.5, -1.0, 1.0]], "smoothing_factor=-1: must be finite, not negative"),
        ([[0.5, 1.0, np.nan]], "error_scale=-?nan: must be finite, not negative"),
    ],
)
def test_numbers_that_are_wrong(numbers, message, jit_compile):
    if jit_compile and not build_info()["xla"]:
        pytest.skip("built without XLA")
    given = [tf.Variable(n, dtype=tf.float64, shape=tf.TensorShape(None)) for n in numbers]

    @tf.function(jit_compile=jit_compile)
    def call():
        return library.tailops_tail_loss(
            y_true=V, y_pred=V, mask=[], numbers=[tf.convert_to_tensor(n) for n in given]
        )

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call()


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.extended)])
@pytest.mark.parametrize(
    ("make", "schedule"),
    [
        (lambda v: CVaRLoss("mae", v), [0.0, 0.5, 0.9]),
        (lambda v: TrimmedLoss("mae", v), [0.0, 0.5, 0.9]),
        (lambda v: AverageTopKLoss("mae", fraction=v), [1.0, 0.5, 0.1]),
        (lambda v: AverageTopKLoss("mae", k=v), [20.0, 10.0, 1.0]),
        (lambda v: OHEMLoss("mae", threshold=v, min_kept=2), [0.0, 0.5, 9.0]),
        (lambda v: TailWeightedLoss(absolute_error, v), [1.0, 0.5, 0.1]),
        (lambda v: TailWeightedLoss(absolute_error, error_scale=v), [0.0, 5.0, 20.0]),
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
        return absolute_error(y_true, y_pred)

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
