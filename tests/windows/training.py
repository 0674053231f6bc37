"""What must hold of models that remember, under either backend: run as a script."""

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from remembered import Remembered

from tailops.layers import ErrorWindow
from tailops.losses import CVaRLoss, PercentileLoss, TailWeightedLoss

SIZE = 50
rng = np.random.default_rng(0)
X = rng.standard_normal((96, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) + rng.standard_normal((96, 1)) ** 3).astype("float32")
LOSSES = {
    "residuals": lambda: TailWeightedLoss("mae", 0.9, window=SIZE),
    "values": lambda: TailWeightedLoss(keras.losses.LogCosh(), 0.9, window=SIZE),
    "percentile": lambda: PercentileLoss(0.9, gradient="fixed_weight", window=SIZE),
    "cvar": lambda: CVaRLoss("mae", 0.8, window=SIZE),
}


def model(loss, **how):
    keras.utils.set_random_seed(1)
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), ErrorWindow(SIZE)])
    made.compile(keras.optimizers.Adam(0.05), loss, **how)
    return made


def fit(made, epochs, first=0):
    how = {"batch_size": 20, "shuffle": False, "verbose": 0}  # the last batch has 16
    return made.fit(X, Y, epochs=epochs, initial_epoch=first, **how).history["loss"]


def state(made):
    return [np.asarray(v) for v in made.layers[-1].variables]


def check_same(a, b):
    for one, other in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other), err_msg=one.path)


def errors_are_remembered(loss, **how):
    """By fit, in the order of the batches, of predictions before each step."""
    made = model(loss, **how)
    expected = Remembered(SIZE)
    for first in range(0, 96, 20):
        batch = slice(first, first + 20)
        expected.add(Y[batch], np.asarray(made.predict_on_batch(X[batch])))
        made.train_on_batch(X[batch], Y[batch])
    errors, written = state(made)
    ordered = np.roll(errors, -(int(written) - SIZE))
    np.testing.assert_allclose(ordered, np.array(expected.errors), rtol=1e-5, atol=1e-6)


def evaluation_only_reads(loss):
    made = model(loss)
    fit(made, 1)
    before = state(made)
    first = made.evaluate(X, Y, verbose=0)
    assert first == made.evaluate(X, Y, verbose=0)
    made.predict(X, verbose=0)
    for a, b in zip(before, state(made), strict=True):
        np.testing.assert_array_equal(a, b)


def an_empty_window_is_the_batch(loss):
    """Of a model that has not been trained."""
    made = model(loss)
    assert np.isfinite(made.evaluate(X, Y, verbose=0))
    assert [float(np.abs(v).max()) for v in state(made)] == [0.0, 0.0]


def training_goes_on(make, folder):
    """From a saved model, and from saved weights of a new one with its optimizer."""
    whole = model(make())
    curve = fit(whole, 4)
    half = model(make())
    begun = fit(half, 2)
    half.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    assert begun + fit(loaded, 4, 2) == curve
    check_same(whole, loaded)


def checkpoints(make, folder):
    """The weights alone have the window."""
    made = model(make())
    fit(made, 1)
    made.save_weights(folder / "model.weights.h5")
    other = model(make())
    other.load_weights(folder / "model.weights.h5")
    for a, b in zip(state(made), state(other), strict=True):
        np.testing.assert_array_equal(a, b)
    assert other.evaluate(X, Y, verbose=0) == made.evaluate(X, Y, verbose=0)


def as_a_metric_it_reads():
    """Each batch is written once, whoever computes the loss again; another loss may not."""
    loss = PercentileLoss(0.9, gradient="fixed_weight", window=SIZE)
    made = model(loss, metrics=[loss])
    made.train_on_batch(X[:20], Y[:20])
    assert float(state(made)[1]) == 20
    other = PercentileLoss(0.5, gradient="fixed_weight", window=SIZE)
    with pytest.raises(ValueError, match="another loss has written"):
        model(loss, metrics=[other]).train_on_batch(X[:20], Y[:20])


class WithNumber(keras.layers.Dense):
    """A layer that has a variable of the model, for a loss: Keras on JAX hands over no others."""

    def build(self, shape):
        super().build(shape)
        self.number = self.add_weight(shape=(), initializer="ones", trainable=False)


def scheduled_numbers():
    """A percentile that is a variable: the same as a number, under fit."""
    for make in (
        lambda p: TailWeightedLoss("mae", p, window=SIZE),
        lambda p: CVaRLoss("mae", p, window=SIZE),
    ):
        curves = []
        for is_variable in (True, False):
            keras.utils.set_random_seed(1)
            dense = WithNumber(1)
            made = keras.Sequential([keras.Input((3,)), dense, ErrorWindow(SIZE)])
            dense.number.assign(0.75)
            made.compile(keras.optimizers.Adam(0.05), make(dense.number if is_variable else 0.75))
            curves.append(fit(made, 2))
        np.testing.assert_allclose(curves[0], curves[1], rtol=1e-5)


def several_outputs():
    """Each has a window of its own."""
    inputs = keras.Input((3,))
    first, second = (ErrorWindow(m, name=f"w{m}")(keras.layers.Dense(1)(inputs)) for m in (30, 70))
    made = keras.Model(inputs, {"a": first, "b": second})
    made.compile(
        "adam",
        {
            "a": TailWeightedLoss("mae", window=30),
            "b": CVaRLoss("mse", 0.9, window=70),
        },
    )
    made.fit(X, {"a": Y, "b": Y * 100}, batch_size=20, epochs=1, verbose=0)
    a, b = made.get_layer("w30"), made.get_layer("w70")
    assert [int(a.written), int(b.written)] == [30 + 96 % 30, 70 + 96 % 70]
    assert np.median(np.asarray(b.errors)) > 100 * np.median(np.asarray(a.errors))


def an_error(message, **how):
    made = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), *how["layers"]])
    made.compile("adam", how["loss"])
    with pytest.raises(ValueError, match=re.escape(message)):
        made.fit(X, Y, epochs=1, verbose=0)


def errors():
    loss = PercentileLoss(gradient="fixed_weight", window=SIZE)
    an_error("tailops.layers.ErrorWindow(50)", layers=[], loss=loss)
    an_error("from an ErrorWindow of size 49 and", layers=[ErrorWindow(49)], loss=loss)
    behind = [ErrorWindow(SIZE), keras.layers.Rescaling(2.0)]
    an_error("comes from no ErrorWindow", layers=behind, loss=CVaRLoss("mae", window=SIZE))


def main(folder):
    for name, make in LOSSES.items():
        evaluation_only_reads(make())
        an_empty_window_is_the_batch(make())
        training_goes_on(make, folder)
        checkpoints(make, folder)
        if name != "values":
            errors_are_remembered(make())
            errors_are_remembered(make(), jit_compile=True)
    errors_are_remembered(LOSSES["residuals"](), run_eagerly=True)
    if keras.backend.backend() == "tensorflow":  # JAX's step hands other arrays to metrics
        as_a_metric_it_reads()
    scheduled_numbers()
    several_outputs()
    errors()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    print("done")
