"""Models that remember under `tf.distribute`: a process with logical devices of its own.

Arguments: how many replicas. Fails by an assertion.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from tailops.layers import ErrorWindow
from tailops.losses import CVaRLoss, TailWeightedLoss

SIZE, BATCH, STEPS = 50, 24, 6
rng = np.random.default_rng(0)
X = rng.standard_normal((STEPS * BATCH, 3)).astype("float32")
Y = (X.sum(1, keepdims=True) + rng.standard_normal((len(X), 1)) ** 3).astype("float32")


def trained(make, strategy):
    """The model, and for each replica what its window holds."""
    with strategy.scope():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), ErrorWindow(SIZE)])
        model.compile(keras.optimizers.SGD(0.01), make(), jit_compile=False)
    losses = model.fit(X, Y, batch_size=BATCH, shuffle=False, verbose=0).history["loss"]
    window = model.layers[-1]
    held = [
        [np.asarray(x) for x in strategy.experimental_local_results(variable.value)]
        for variable in (window.errors, window.written)
    ]
    return model, losses, list(zip(*held, strict=True))


def check(make, several, one):
    """One window for all is that of one device; of its own, each has its share's errors."""
    model, losses, windows = trained(lambda: make(True), several)
    alone, of_one, [expected] = trained(lambda: make(True), one)
    np.testing.assert_allclose(losses, of_one, rtol=1e-5)
    for weights in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(*weights, rtol=1e-4, atol=1e-6)
    for held in windows:
        np.testing.assert_array_equal(held[0], windows[0][0])
        np.testing.assert_allclose(held[0], expected[0], rtol=1e-4, atol=1e-6)
        assert held[1] == expected[1]
    before = windows[0][0]
    model.evaluate(X, Y, batch_size=BATCH, verbose=0)
    local = several.experimental_local_results(model.layers[-1].errors.value)
    np.testing.assert_array_equal(np.asarray(local[0]), before)

    _, _, windows = trained(lambda: make(False), several)
    share = BATCH // several.num_replicas_in_sync
    assert [int(held[1]) for held in windows] == [counted(STEPS * share)] * len(windows)
    assert not np.array_equal(windows[0][0], windows[1][0])


def counted(n):
    return n if n < SIZE else SIZE + n % SIZE


def main(replicas):
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * replicas
    tf.config.set_logical_device_configuration(cpu, configuration)
    several = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
    one = tf.distribute.OneDeviceStrategy("CPU:0")
    for make in (
        lambda shared: TailWeightedLoss("mae", 0.9, window=SIZE, synchronized=shared),
        lambda shared: CVaRLoss("mae", 0.8, window=SIZE, synchronized=shared),
    ):
        check(make, several, one)


if __name__ == "__main__":
    main(int(sys.argv[1]))
