"""A process with Keras on four devices of JAX's: `fit` on all of them, and on one.

Arguments: how many of the losses, and the folder that XLA writes to. Fails by an assertion.
"""

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tailops import losses

jax = pytest.importorskip("jax")

SAMPLES, STEPS = 64, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((SAMPLES * STEPS, 5)).astype("float32")
Y = (X @ RNG.standard_normal((5, 1)) + RNG.standard_t(2, (len(X), 1))).astype("float32")
# The hardest last: no share's percentile is that of the batch.
ORDER = np.argsort(np.abs(Y[:, 0]))
X, Y = X[ORDER], Y[ORDER]

LOSSES = {
    "published": lambda on: losses.PercentileLoss(0.9, 5.0, 3.0, synchronized=on),
    "cvar": lambda on: losses.CVaRLoss("mae", 0.8, synchronized=on),
    "weighted residuals": lambda on: losses.TailWeightedLoss("mae", 0.9, synchronized=on),
    "weighted values": lambda on: losses.TailWeightedLoss("huber", 0.9, synchronized=on),
    "max_fraction": lambda on: losses.MaxFractionLoss(0.5, 5.0, 3.0, synchronized=on),
    "hybrid, a column": lambda on: losses.HybridPercentileLoss(0.9, 5.0, axis=0, synchronized=on),
    "top k": lambda on: losses.AverageTopKLoss("mse", k=5, synchronized=on),
    "ohem": lambda on: losses.OHEMLoss("mae", 2.0, 3, synchronized=on),
    "trimmed": lambda on: losses.TrimmedLoss("mae", 0.2, synchronized=on),
}


def trained(loss, sample_weight):
    """The losses of all epochs, and the weights."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((5,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.01), loss)
    options = {"batch_size": SAMPLES, "epochs": 2, "verbose": 0, "shuffle": False}
    history = model.fit(X, Y, sample_weight=sample_weight, **options).history["loss"]
    return history, np.concatenate([weight.ravel() for weight in model.get_weights()])


def collectives(folder):
    """Those of each step that has been compiled, in the order of time."""
    texts = [path.read_text() for path in sorted(Path(folder).glob("*cpu_after_optimizations.txt"))]
    found = [re.findall(r" (all-\w+|collective-\w+|reduce-scatter)(?:-start)?\(", t) for t in texts]
    return [names for names in found if names]


def main(count, folder):
    names = list(LOSSES)[:count]
    weights = [None, np.linspace(0.5, 1.5, len(X)).astype("float32")]
    cases = [(name, weight) for name in names for weight in weights]
    alone = [trained(LOSSES[name](False), weight) for name, weight in cases]
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    assert len(jax.devices()) == keras.distribution.distribution().device_mesh.shape[0] == 4
    for (name, weight), expected in zip(cases, alone, strict=True):
        together = trained(LOSSES[name](True), weight)
        for a, b in zip(expected, together, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-6, err_msg=name)
    # Three rounds, a sum of the losses and one of the gradients, and what a range or a slope adds.
    assert len(collectives(folder)) == len(cases)
    for names in collectives(folder):
        assert set(names) == {"all-reduce"}, names
        assert len(names) <= 7, names
    trained(LOSSES["published"](False), None)
    assert "all-gather" in collectives(folder)[-1]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
