"""TailSchedule: what it assigns, when, without a trace anew, and where training goes on."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import run_python

from tailops.callbacks import TailSchedule
from tailops.losses import AverageTopKLoss, CVaRLoss, PercentileLoss, TailWeightedLoss

X = np.random.default_rng(0).standard_normal((96, 3)).astype("float32")
Y = X.sum(1, keepdims=True) ** 3


class Held(keras.callbacks.Callback):
    """What a variable holds as each step ends."""

    def __init__(self, variable):
        super().__init__()
        self.variable, self.values = variable, []

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002
        self.values.append(float(self.variable))


def model(loss, **how):
    keras.utils.set_random_seed(0)
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    m.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss, **how)
    return m


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"over": 4}, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]),
        ({"over": 2, "begin": 2}, [1.0, 1.0, 1.0, 0.6, 0.2, 0.2]),
        ({"over": 4, "stairs": 2}, [1.0, 1.0, 0.6, 0.6, 0.2, 0.2]),
        ({"over": 3, "stairs": 3}, [1.0, 1 - 0.8 / 3, 1 - 1.6 / 3, 0.2, 0.2, 0.2]),
        (
            {"over": 4, "shape": "cosine"},
            [1 - 0.4 * (1 - math.cos(math.pi * i / 4)) for i in range(5)] + [0.2],
        ),
        ({"over": 1}, [1.0, 0.2, 0.2, 0.2, 0.2, 0.2]),
    ],
)
@pytest.mark.parametrize("unit", ["epoch", "step"])
def test_what_it_holds(how, expected, unit):
    fraction = keras.Variable(0.5, dtype="float64")
    schedule = TailSchedule(fraction, 1.0, 0.2, unit=unit, name="fraction", **how)
    held = Held(fraction)
    m = model(AverageTopKLoss("mae", fraction=fraction))
    rows, epochs = (96, 6) if unit == "epoch" else (16, 1)
    history = m.fit(X, Y, rows, epochs, verbose=0, callbacks=[schedule, held])
    np.testing.assert_allclose(held.values, expected, rtol=1e-12)
    np.testing.assert_allclose(history.history["fraction"], held.values[:: 96 // rows][-epochs:]
                               if unit == "epoch" else held.values[-1:], rtol=1e-12)  # fmt: skip


def losses_of(variable):
    return {
        "percentile": PercentileLoss(variable, 5.0),
        "weighted": TailWeightedLoss("mse", variable),
        "cvar": CVaRLoss("mae", variable),
        "k": AverageTopKLoss("mae", fraction=variable),
    }


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("unit", ["epoch", "step"])
@pytest.mark.parametrize("name", losses_of(0.5))
def test_it_counts_and_nothing_is_traced_anew(name, unit, jit_compile):
    """As a loop that has the number as an option, compiled for each."""
    variable = keras.Variable(0.5, dtype="float64")
    schedule = TailSchedule(variable, 0.25, 0.75, 4, unit=unit)
    m = model(losses_of(variable)[name], jit_compile=jit_compile)
    traced, compute_loss = [], m.compute_loss
    m.compute_loss = lambda *data, **how: traced.append(1) or compute_loss(*data, **how)
    positions = [i // 2 if unit == "epoch" else i for i in range(6)]
    m.fit(X, Y, 48, epochs=3, shuffle=False, verbose=0, callbacks=[schedule])
    assert len(traced) <= 2 < len(positions)
    keras.utils.set_random_seed(0)
    by_hand = model("mae")
    for step, position in enumerate(positions):
        rows = slice(0, 48) if step % 2 == 0 else slice(48, 96)
        with tf.GradientTape() as tape:
            loss = losses_of(schedule.value(position))[name](Y[rows], by_hand(X[rows]))
        by_hand.optimizer.apply_gradients(
            zip(tape.gradient(loss, by_hand.trainable_variables), by_hand.trainable_variables,
                strict=True)
        )  # fmt: skip
    # XLA rounds in its own way, and Adam makes as much of that in small gradients as in large ones.
    for one, other in zip(m.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("unit", ["epoch", "step"])
def test_training_goes_on_where_it_was(unit, tmp_path):
    """Saved, loaded, with the loss compiled around a variable again: the same bits."""

    def schedule(variable):
        return TailSchedule(variable, 1.0, 0.3, 4 if unit == "epoch" else 8, unit=unit)

    def fit(m, variable, initial, epochs):
        m.fit(
            X, Y, 48, epochs, shuffle=False, verbose=0, initial_epoch=initial,
            callbacks=[schedule(variable)],
        )  # fmt: skip

    whole, first, second = (keras.Variable(0.5) for _ in range(3))
    uninterrupted = model(AverageTopKLoss("mse", fraction=whole))
    fit(uninterrupted, whole, 0, 4)
    begun = model(AverageTopKLoss("mse", fraction=first))
    fit(begun, first, 0, 2)
    begun.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.fraction == float(first)
    loaded.compile(loaded.optimizer, AverageTopKLoss("mse", fraction=second))
    fit(loaded, second, 2, 4)
    for one, other in zip(loaded.get_weights(), uninterrupted.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_with_a_strategy():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        fraction = keras.Variable(1.0)
        m = model(AverageTopKLoss("mae", fraction=fraction))
    m.fit(X, Y, 48, 2, verbose=0, callbacks=[TailSchedule(fraction, 1.0, 0.5, 2, unit="step")])
    assert float(tf.convert_to_tensor(fraction)) == 0.5


ON_JAX = """
    import keras, numpy as np
    from tailops.callbacks import TailMonitor, TailSchedule
    from tailops.losses import AverageTopKLoss

    class Numbers(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.fraction = self.add_weight(shape=(), initializer="ones", trainable=False)
        def call(self, x):
            return x

    class Held(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.values, self.traces = [], 0
        def on_train_batch_end(self, batch, logs=None):
            self.model.jax_state_sync()
            self.values.append(round(float(numbers.fraction), 6))

    traces = 0
    def inner(y_true, y_pred):
        global traces
        traces += 1
        return abs(y_true - y_pred)[..., 0]

    x = np.random.default_rng(0).standard_normal((96, 3)).astype("float32")
    y = x.sum(1, keepdims=True) ** 3
    for unit, expected in (("epoch", [1, 1, .75, .75, .5, .5]), ("step", [1, .75, .5, .5, .5, .5])):
        keras.utils.set_random_seed(0)
        numbers, held = Numbers(), Held()
        m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), numbers])
        m.compile("adam", AverageTopKLoss(inner, fraction=numbers.fraction))
        traces = 0
        schedule = TailSchedule(numbers.fraction, 1.0, 0.5, 2, unit=unit)
        found = m.fit(x, y, 48, 3, verbose=0, callbacks=[TailMonitor((x, y)), schedule, held])
        assert found.history["fraction"] == expected[1::2], found.history["fraction"]
        assert held.values == expected, (unit, held.values)
        assert traces <= 2, traces
        assert float(numbers.fraction) == 0.5
    print("done")
"""


def test_with_keras_on_jax():
    pytest.importorskip("jax")
    assert "done" in run_python(ON_JAX, KERAS_BACKEND="jax")


@pytest.mark.parametrize(
    ("arguments", "how", "error", "message"),
    [
        ((0.5, 1.0, 0.2, 4), {}, TypeError, r"variable=0\.5: must be a keras\.Variable"),
        (([1.0, 2.0], 1.0, 0.2, 4), {}, ValueError, r"variable of shape \(2,\): must be a scalar"),
        ((True, 1.0, 0.2, 4), {}, TypeError, "variable of dtype bool: must be a number"),
        ((None, "1", 0.2, 4), {}, TypeError, "start='1': must be a number"),
        ((None, 1.0, None, 4), {}, TypeError, "end=None: must be a number"),
        ((None, 1.0, 0.2, 0), {}, ValueError, "over=0: must be at least 1"),
        ((None, 1.0, 0.2, 1.5), {}, TypeError, r"over=1\.5: must be an integer"),
        ((None, 1.0, 0.2, 4), {"begin": -1}, ValueError, "begin=-1: must be at least 0"),
        ((None, 1.0, 0.2, 4), {"shape": "cubic"}, ValueError, "shape='cubic': must be one of"),
        ((None, 1.0, 0.2, 4), {"unit": "batch"}, ValueError, "unit='batch': must be one of"),
        ((None, 1.0, 0.2, 4), {"stairs": 0}, ValueError, "stairs=0: must be at least 1"),
    ],
)
def test_errors(arguments, how, error, message):
    first, *others = arguments
    if not isinstance(first, float):
        dtype = "bool" if first is True else "float32"
        first = keras.Variable(0.5 if first is None else first, dtype=dtype)
    with pytest.raises(error, match=message):
        TailSchedule(first, *others, **how)
