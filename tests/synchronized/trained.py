"""A process with logical devices of its own: Keras's losses and `fit` under a real strategy.

Arguments: how many replicas, and how many of the losses. Fails by an assertion.
"""

import contextlib
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops import losses
from tailops.ops import average_top_k, cvar, tail_mask, tail_weighted

SAMPLES = 64
RNG = np.random.default_rng(0)
X = RNG.standard_normal((SAMPLES, 5)).astype("float32")
Y = (X @ RNG.standard_normal((5, 1)) + RNG.standard_t(2, (SAMPLES, 1))).astype("float32")
# The hardest last: no share's percentile is that of the batch.
ORDER = np.argsort(np.abs(Y[:, 0]))
X, Y = X[ORDER], Y[ORDER]

LOSSES = {
    "published": lambda on: losses.PercentileLoss(0.9, 5.0, 3.0, synchronized=on),
    "cvar": lambda on: losses.CVaRLoss("mae", 0.8, synchronized=on),
    "scheduled": lambda on: losses.TailWeightedLoss("mae", keras.Variable(0.9), synchronized=on),
    "max_fraction": lambda on: losses.MaxFractionLoss(0.5, 5.0, 3.0, synchronized=on),
    "hybrid, a column": lambda on: losses.HybridPercentileLoss(0.9, 5.0, axis=0, synchronized=on),
    "weighted residuals": lambda on: losses.TailWeightedLoss("mae", 0.9, synchronized=on),
    "weighted values": lambda on: losses.TailWeightedLoss("huber", 0.9, synchronized=on),
    "top k": lambda on: losses.AverageTopKLoss("mse", k=5, synchronized=on),
    "ohem": lambda on: losses.OHEMLoss("mae", 2.0, 3, synchronized=on),
    "trimmed": lambda on: losses.TrimmedLoss("mae", 0.2, synchronized=on),
}


def trained(loss, scope, sample_weight, jit_compile=False):
    with scope:
        keras.utils.set_random_seed(0)
        layers = [keras.Input((5,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(0.01), loss, jit_compile=jit_compile)
    options = {"batch_size": SAMPLES, "epochs": 3, "verbose": 0, "shuffle": False}
    history = model.fit(X, Y, sample_weight=sample_weight, **options).history["loss"]
    return history, np.concatenate([weight.ravel() for weight in model.get_weights()])


def check_training(strategy, names):
    for name in names:
        make = LOSSES[name]
        for weight in (None, np.linspace(0.5, 1.5, SAMPLES).astype("float32")):
            alone = trained(make(False), contextlib.nullcontext(), weight)
            with strategy.scope():
                loss = make(True)
            together = trained(loss, strategy.scope(), weight)
            for a, b in zip(alone, together, strict=True):
                np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-6, err_msg=name)
    with strategy.scope():
        loss = LOSSES["published"](False)
    _, apart = trained(loss, strategy.scope(), None)
    _, alone = trained(LOSSES["published"](False), contextlib.nullcontext(), None)
    assert np.abs(apart - alone).max() > 1e-3


def check_functions(strategy):
    """In a custom loop; groups within a sample are local, and cost no collective."""
    values = RNG.standard_normal((SAMPLES, 6)).astype("float32")
    shares = np.split(values, strategy.num_replicas_in_sync)

    def of_each(function):
        given = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(shares[context.replica_id_in_sync_group])
        )
        run = tf.function(lambda v: strategy.run(function, (v,)))
        found = strategy.experimental_local_results(run(given))
        return [x.numpy() for x in found], run.get_concrete_function(given).graph.as_graph_def()

    for function, whole in (
        (lambda v: cvar(v, 0.9, synchronized=True), cvar(values, 0.9)),
        (lambda v: average_top_k(v, 9, 0, synchronized=True), average_top_k(values, 9, 0)),
    ):
        for one in of_each(function)[0]:
            np.testing.assert_allclose(one, whole, rtol=1e-6)
    for function, whole in (
        (lambda v: tail_mask(v, 0.9, synchronized=True), tail_mask(values, 0.9)),
        (lambda v: tail_weighted(v, 0.9, synchronized=True), tail_weighted(values, 0.9)),
        (lambda v: cvar(v, 0.5, axis=1, synchronized=True), cvar(values, 0.5, axis=1)),
    ):
        np.testing.assert_array_equal(np.concatenate(of_each(function)[0]), whole)
    _, graph = of_each(lambda v: cvar(v, 0.5, axis=1, synchronized=True))
    assert "Union" not in str(graph)


def check_errors(strategy):
    with pytest.raises(NotImplementedError, match=r"synchronized=True under Mirrored.*XLA"):
        trained(LOSSES["cvar"](True), strategy.scope(), None, jit_compile=True)
    with strategy.scope(), pytest.raises(RuntimeError, match="outside of a replica: must be comp"):
        LOSSES["cvar"](True)(Y, X[:, :1])
    with strategy.scope(), pytest.raises(ValueError, match="impl='reference': must be 'fused'"):
        losses.percentile_loss(Y, X[:, :1], synchronized=True, impl="reference")


def main(replicas, losses_checked):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
    )
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
    check_functions(strategy)
    check_errors(strategy)
    check_training(strategy, list(LOSSES)[:losses_checked])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
