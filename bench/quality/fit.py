"""Models trained with one loss, side by side: Keras's layers, loss and Adam, an epoch in one call.

XLA compiles the batches of an epoch as one loop, which leaves little to save but in small
matrices: the seeds are one Keras model whose layers have a kernel for each, in two thirds of the
time. Batches are of equal size; what is left over of the shuffled rows waits for the next epoch.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.quality import losses
from bench.quality.data import Split, Table
from tailops.layers import ErrorWindow

WIDTH = 64
Statistics = dict[str, float]


def learning_rate(batch: int) -> float:
    """Adam's first; larger batches are less noisy, and fewer."""
    return 1e-3 * math.sqrt(batch / 128)


def network(features: int, outputs: int) -> keras.Model:
    """Two hidden layers: one of the models."""
    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(WIDTH, activation="relu"),
            keras.layers.Dense(WIDTH, activation="relu"),
            keras.layers.Dense(outputs),
        ]
    )


def side_by_side(models: int, features: int, outputs: int, window: int | None) -> keras.Model:
    """So many networks: (models, batch, features) to (batch, models, outputs)."""
    inputs = keras.Input(batch_shape=(models, None, features))
    hidden = inputs
    for units, activation in ((WIDTH, "relu"), (WIDTH, "relu"), (outputs, None)):
        hidden = keras.layers.EinsumDense(
            "mbi,mio->mbo", (None, units), activation=activation, bias_axes="mo"
        )(hidden)
    predicted = keras.ops.transpose(hidden, (1, 0, 2))
    if window is not None:
        predicted = ErrorWindow(window)(predicted)
    return keras.Model(inputs, predicted)


class Trainer:
    """Trains models of one shape with one loss; what TensorFlow compiles, it compiles once."""

    def __init__(
        self, models: int, table: Table, how: dict[str, Any], batch: int, epochs: int
    ) -> None:
        rows = table.training_rows
        if not 0 < batch <= rows:
            raise ValueError(f"batch={batch}: must be in [1, {rows}], the number of training rows")
        self.steps, self.batch, self.epochs, self.models = rows // batch, batch, epochs, models
        self.features, self.outputs = table.features, table.classes or 1
        inner = losses.cross_entropy() if table.classes else losses.absolute_error()
        self.loss = losses.make(how["loss"], how["options"], inner)
        window = how["options"].get("window")
        self.model = side_by_side(models, self.features, self.outputs, window)
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(learning_rate(batch), self.steps * epochs)
        )
        self.optimizer.build(self.model.trainable_variables)

    @tf.function(jit_compile=True)
    def epoch(self, x: tf.Tensor, y: tf.Tensor) -> None:
        """One pass over batches, the first axis."""
        variables = self.model.trainable_variables
        for i in tf.range(self.steps):
            with tf.GradientTape() as tape:
                # The sum of the models' losses, of which it has the mean.
                value = self.models * self.loss(y[i], self.model(x[i], training=True))
            self.optimizer.apply(tape.gradient(value, variables), variables)

    def reset(self, seeds: Sequence[int]) -> None:
        """New weights, each model's as its seed has them by itself; nothing is remembered."""
        single = []
        for seed in seeds:
            keras.utils.set_random_seed(seed)
            single.append(network(self.features, self.outputs).get_weights())
        for variable, values in zip(
            self.model.trainable_variables, zip(*single, strict=True), strict=True
        ):
            variable.assign(np.stack(values).reshape(variable.shape))
        for variable in (*self.optimizer.variables, *self.model.non_trainable_variables):
            variable.assign(tf.zeros_like(variable))

    def _batches(self, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> tuple[Any, Any]:
        rows = order[: self.steps * self.batch].reshape(self.steps, self.batch)
        return x[rows], y[rows]

    def fit(self, splits: Sequence[Split], seeds: Sequence[int]) -> list[np.ndarray]:
        """Predictions of each split's held-out rows, by the model of the seed."""
        self.reset(seeds)
        generators = [np.random.default_rng(seed) for seed in seeds]
        for _ in range(self.epochs):
            shuffled = [
                self._batches(of.x_train, of.y_train, rng.permutation(len(of.x_train)))
                for of, rng in zip(splits, generators, strict=True)
            ]
            x, y = zip(*shuffled, strict=True)
            self.epoch(tf.constant(np.stack(x, 1)), tf.constant(np.stack(y, 2)))
        held_out = max(len(of.x_test) for of in splits)
        padded = [np.pad(of.x_test, ((0, held_out - len(of.x_test)), (0, 0))) for of in splits]
        predicted = np.asarray(self.model(np.stack(padded), training=False))
        return [predicted[: len(of.x_test), i] for i, of in enumerate(splits)]


def judged(split: Split, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute errors in the target's own unit, or cross-entropies; where a class is right."""
    if split.y_test.ndim == 2:
        return np.abs(predicted - split.y_test)[:, 0] * split.unit, np.empty(0)
    wide = predicted.astype(np.float64)
    shifted = wide - wide.max(1, keepdims=True)
    rows = np.arange(len(wide))
    values = np.log(np.exp(shifted).sum(1)) - shifted[rows, split.y_test]
    return values, shifted[rows, split.y_test] == 0


def statistics(values: np.ndarray, right: np.ndarray) -> Statistics:
    """Of held-out values, to five digits."""
    worst = np.sort(values)[-max(1, round(len(values) / 100)) :]
    p50, p90, p99, largest = np.quantile(values, [0.5, 0.9, 0.99, 1.0])
    found = {"mean": values.mean(), "p50": p50, "p90": p90, "p99": p99, "max": largest}
    found["CVaR 99"] = worst.mean()
    if len(right):
        found["accuracy"] = right.mean()
    return {name: float(f"{value:.5g}") for name, value in found.items()}


def run(
    table: Table, how: dict[str, Any], batch: int, epochs: int, seeds: list[int]
) -> dict[int, Statistics]:
    """Held-out statistics for every seed; the folds of one seed make one set of values.

    Args:
        table: What is learned.
        how: The loss's name and its options.
        batch: Rows of a step.
        epochs: Passes over the training rows.
        seeds: Of splits, weights and orders.
    """
    runs = [(seed, split) for seed in seeds for split in table.splits(seed)]
    # A window is of one model.
    together = 1 if "window" in how["options"] else len(runs)
    trainer = Trainer(together, table, how, batch, epochs)
    found: dict[int, list[Any]] = {seed: [] for seed in seeds}
    for start in range(0, len(runs), together):
        of_each, splits = zip(*runs[start : start + together], strict=True)
        predictions = trainer.fit(splits, of_each)
        for seed, split, predicted in zip(of_each, splits, predictions, strict=True):
            found[seed].append(judged(split, predicted))
    return {
        seed: statistics(*(np.concatenate(of) for of in zip(*parts, strict=True)))
        for seed, parts in found.items()
    }
