"""One model trained with one loss: Keras's layers, loss and Adam, a whole epoch in one call.

A `tf.function` runs the batches of an epoch, so that batches of 32 do not take minutes in Python;
batches are of equal size, what is left over of the shuffled rows waits for the next epoch.
"""

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.quality.data import Split, Table
from bench.quality.losses import Options, make

WIDTH = 64
STATISTICS = ("mean", "p50", "p90", "p99", "max")


def learning_rate(batch: int) -> float:
    """Adam's first; larger batches are less noisy, and fewer."""
    return 1e-3 * math.sqrt(batch / 128)


def network(features: int) -> keras.Model:
    """Two hidden layers."""
    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(WIDTH, activation="relu"),
            keras.layers.Dense(WIDTH, activation="relu"),
            keras.layers.Dense(1),
        ]
    )


class Trainer:
    """Trains models of one shape with one loss; what TensorFlow traces, it traces once."""

    def __init__(self, rows: int, features: int, loss: keras.losses.Loss, batch: int, epochs: int):
        if not 0 < batch <= rows:
            raise ValueError(f"batch={batch}: must be in [1, {rows}], the number of training rows")
        self.steps, self.batch, self.epochs, self.loss = rows // batch, batch, epochs, loss
        self.model = network(features)
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate(batch), self.steps * epochs)
        )
        self.optimizer.build(self.model.trainable_variables)

    @tf.function
    def epoch(self, x: tf.Tensor, y: tf.Tensor, order: tf.Tensor) -> None:
        """One pass over the rows in this order."""
        for i in tf.range(self.steps):
            rows = tf.ensure_shape(
                order[i * self.batch : (i + 1) * self.batch], [self.batch]
            )  # a slice whose length TensorFlow knows
            with tf.GradientTape() as tape:
                value = self.loss(tf.gather(y, rows), self.model(tf.gather(x, rows), training=True))
            variables = self.model.trainable_variables
            self.optimizer.apply(tape.gradient(value, variables), variables)

    def reset(self, seed: int) -> None:
        """New weights; the optimizer forgets."""
        keras.utils.set_random_seed(seed)
        self.model.set_weights(network(self.model.input_shape[1]).get_weights())
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))

    def fit(self, split: Split, seed: int) -> np.ndarray:
        """Absolute errors on the held-out rows, in the target's own unit."""
        self.reset(seed)
        rng = np.random.default_rng(seed)
        x, y = tf.constant(split.x_train), tf.constant(split.y_train)
        for _ in range(self.epochs):
            self.epoch(x, y, tf.constant(rng.permutation(len(split.x_train)).astype(np.int32)))
        predicted = np.asarray(self.model(split.x_test, training=False))
        return np.abs(predicted - split.y_test)[:, 0] * split.unit


def statistics(errors: np.ndarray) -> dict[str, float]:
    """Of held-out errors, to five digits."""
    percentiles = np.quantile(errors, [0.5, 0.9, 0.99, 1.0])
    return {
        name: float(f"{value:.5g}")
        for name, value in zip(STATISTICS, [errors.mean(), *percentiles], strict=True)
    }


def run(
    table: Table, kind: str, options: Options, batch: int, epochs: int, seeds: list[int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Held-out statistics for every seed; the folds of one seed make one set of errors."""
    trainer = None
    for seed in seeds:
        errors = []
        for split in table.splits(seed):
            rows, features = split.x_train.shape
            if trainer is None:
                trainer = Trainer(rows, features, make(kind, options), batch, epochs)
            errors.append(trainer.fit(split, seed))
        yield seed, statistics(np.concatenate(errors))
