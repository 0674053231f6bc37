"""Draws the pictures of docs/watching_the_tail.md and docs/metrics.md.

    python examples/watch_the_tail.py
    python examples/watch_the_tail.py --csv housing.csv --target median_house_value

Without --csv: California housing, see data/README.md.
"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import matplotlib as mpl
import numpy as np
import tensorflow as tf
from train_tail_loss import Split, load_table, splits, table_arguments

from tailops.callbacks import TailMonitor
from tailops.losses import PercentileLoss
from tailops.metrics import MaskedMeanSquaredError

mpl.use("Agg")
import matplotlib.pyplot as plt

MISSING = -1.0  # no target of the default table is


def trained(split: Split, epochs: int, batch_size: int, picture: Path) -> keras.Model:
    """A model trained on the tail, and the monitor's picture of it."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((split.x_train.shape[1],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    loss = PercentileLoss(
        percentile=0.95, smoothing_factor=5.0, error_scale=20.0, gradient="fixed_weight"
    )
    model.compile(keras.optimizers.Adam(1e-3), loss)
    model.fit(
        split.x_train,
        split.y_train,
        batch_size=batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[TailMonitor((split.x_test, split.y_test), picture=picture)],
    )
    return model


def published(batches: list[tuple[Any, Any]]) -> float:
    """The masked error as published: batch means added up, divided by the count of elements."""
    total = count = 0.0
    for y_true, y_pred in batches:
        kept = tf.not_equal(y_true, MISSING)
        d = tf.boolean_mask(y_true, kept) - tf.boolean_mask(y_pred, kept)
        total += float(tf.reduce_mean(tf.square(d)))
        count += float(tf.size(d))
    return total / count


def mean_of_means(batches: list[tuple[Any, Any]]) -> float:
    """The other usual way: every batch counts alike, however few labels it has."""
    means = [np.square(p - y)[y != MISSING].mean() for y, p in batches if (y != MISSING).any()]
    return float(np.mean(means))


def ours(batches: list[tuple[Any, Any]]) -> float:
    """The metric."""
    metric = MaskedMeanSquaredError(ignore_value=MISSING)
    for batch in batches:
        metric.update_state(*batch)
    return float(metric.result())


def draw_missing(model: keras.Model, split: Split, path: Path) -> None:
    """Masked errors over the truth, by the share of labels that is missing."""
    predictions = model.predict(split.x_test, verbose=0)
    order = np.argsort(np.abs(predictions - split.y_test)[:, 0])  # as data come: not shuffled
    y_pred, y_true = predictions[order], split.y_test[order]
    shares = np.linspace(0, 0.9, 10)
    ways = {"published": published, "mean of batch means": mean_of_means, "tailops": ours}
    lines: dict[str, list[float]] = {name: [] for name in ways}
    for share in shares:
        rng = np.random.default_rng(0)
        # The rows with large errors miss more of their labels.
        chance = share * np.linspace(0.6, 1.1, len(y_true))[:, None]
        labels = np.where(rng.random(y_true.shape) < chance, MISSING, y_true).astype(np.float32)
        kept = labels != MISSING
        truth = np.square(np.float64(y_pred) - labels)[kept].mean()
        batches = [(labels[i : i + 32], y_pred[i : i + 32]) for i in range(0, len(labels), 32)]
        for name, way in ways.items():
            lines[name].append(way(batches) / truth)
    figure, axes = plt.subplots(figsize=(7.5, 3.8))
    for (name, values), color in zip(lines.items(), ("#888888", "#e0a458", "#08519c"), strict=True):
        axes.plot(100 * shares, values, color=color, linewidth=2.5, label=name)
    axes.set_ylim(bottom=0)
    axes.set(
        xlabel="labels that are missing, %",
        ylabel="metric ÷ truth",
        title="Masked mean squared error over all batches",
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130, facecolor="white")


def main() -> None:
    """Parses the command line, trains, draws."""
    about = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(description=about, parents=[table_arguments()])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder for the pictures")
    arguments = parser.parse_args()
    x, y, _ = load_table(arguments.csv, arguments.target)
    _, split = next(splits(x, y, seeds=1))
    picture = arguments.output / "watching_the_tail.png"
    model = trained(split, arguments.epochs, arguments.batch_size, picture)
    print(f"picture: {picture}")
    draw_missing(model, split, arguments.output / "missing_labels.png")
    print(f"picture: {arguments.output / 'missing_labels.png'}")


if __name__ == "__main__":
    main()
