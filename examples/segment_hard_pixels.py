"""Segments images whose few hard pixels matter, with cross-entropy and with its tails.

    python examples/segment_hard_pixels.py
    python examples/segment_hard_pixels.py --seeds 3 --wrong-labels 0.02

The images are small_shapes.py's: rare small shapes on two textures, a fifth of the labels missing.
"""

import argparse
import logging
import math
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import matplotlib as mpl
import numpy as np
from small_shapes import CLASSES, FIRST_RARE, IGNORED, SIZE, Images, images
from tqdm import tqdm

from tailops.losses import AverageTopKLoss, CVaRLoss, OHEMLoss, TailWeightedLoss

mpl.use("Agg")
import matplotlib.pyplot as plt

# Every model traces a step of its own, which TensorFlow takes for a mistake.
logging.getLogger("tensorflow").setLevel(logging.ERROR)

Array = np.ndarray[Any, Any]
REFERENCE = "cross-entropy"
HELD_OUT = 128


def cross_entropy() -> keras.losses.Loss:
    """Per pixel; none where the label is missing."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)


def focal(y_true: Any, y_pred: Any) -> Any:
    """(1 − p)² times the cross-entropy; what it returns has no Keras mask, so it divides itself."""
    losses = keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True, ignore_class=IGNORED
    )
    labelled = keras.ops.mean(keras.ops.cast(y_true != IGNORED, losses.dtype))
    return keras.ops.divide_no_nan((1 - keras.ops.exp(-losses)) ** 2 * losses, labelled)


LOSSES: dict[str, Callable[[], Any]] = {
    REFERENCE: cross_entropy,
    "focal": lambda: focal,
    # Pixels whose class has less than 0.7, and a tenth of those with a label in a batch of 8.
    "OHEM": lambda: OHEMLoss(cross_entropy(), threshold=-math.log(0.7), min_kept=2_500),
    "CVaR": lambda: CVaRLoss(cross_entropy(), percentile=0.9),
    "average top-k": lambda: AverageTopKLoss(cross_entropy(), fraction=0.2, axis=(1, 2)),
    "tail-weighted": lambda: TailWeightedLoss(
        cross_entropy(),
        percentile=0.95,
        error_scale=20.0,
        smoothing_factor=5.0,
        smoothing_unit="error",  # per nat
    ),
}


@dataclass
class Outcome:
    """What one loss achieved, by seed; and the classes that the first seed's model saw."""

    scores: list[dict[str, float]] = field(default_factory=list)
    predicted: Array | None = None

    def mean(self, name: str) -> float:
        """Of a score, over the seeds."""
        return float(np.mean([of_seed[name] for of_seed in self.scores]))


def network(width: int) -> keras.Model:
    """Two resolutions, and as much as a pixel's class needs to be seen: logits of each pixel."""

    def convolution(channels: int, strides: int = 1) -> keras.Sequential:
        return keras.Sequential(
            [
                keras.layers.Conv2D(channels, 3, strides, padding="same", use_bias=False),
                keras.layers.BatchNormalization(momentum=0.9),
                keras.layers.ReLU(),
            ]
        )

    pixels = keras.Input((SIZE, SIZE, 1))
    fine = convolution(width)(convolution(width)(pixels))
    coarse = convolution(2 * width, strides=2)(fine)
    coarse = convolution(2 * width)(convolution(2 * width)(coarse))
    both = keras.layers.Concatenate()([fine, keras.layers.UpSampling2D()(coarse)])
    return keras.Model(pixels, keras.layers.Conv2D(len(CLASSES), 1)(convolution(width)(both)))


def compiled(loss: Any, seed: int, width: int, steps: int) -> keras.Model:
    """The same start for every loss."""
    keras.utils.set_random_seed(seed)
    model = network(width)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(keras.optimizers.Adam(rate), loss)
    return model


def scores(logits: Array, classes: Array) -> dict[str, float]:
    """Intersection over union, of the rare classes and of all; cross-entropy, and its worst 1 %."""
    predicted = logits.argmax(-1)
    of = [(predicted == c, classes == c) for c in range(len(CLASSES))]
    unions = [(seen & there).sum() / max((seen | there).sum(), 1) for seen, there in of]
    shifted = np.float64(logits) - logits.max(-1, keepdims=True)
    of_class = np.take_along_axis(shifted, classes[..., None].astype(int), -1)[..., 0]
    losses = np.sort((np.log(np.exp(shifted).sum(-1)) - of_class).ravel())
    return {
        "rare IoU": float(np.mean(unions[FIRST_RARE:])),
        "common IoU": float(np.mean(unions[:FIRST_RARE])),
        "mean IoU": float(np.mean(unions)),
        "mean loss": float(losses.mean()),
        "worst 1 %": float(losses[-math.ceil(losses.size / 100) :].mean()),
    }


def step_seconds(options: argparse.Namespace) -> dict[str, list[float]]:
    """Of a training step with each loss, in turns, so that a slow moment strikes all of them."""
    data = images(options.batch_size, seed=1)
    batch = data.pixels, data.labels
    models = {
        name: compiled(make(), 0, options.width, options.rounds) for name, make in LOSSES.items()
    }
    for model in models.values():  # traced, and memory is there
        for _ in range(3):
            model.train_on_batch(*batch)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    order = list(models)
    for _ in range(options.rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            models[name].train_on_batch(*batch)
            seconds[name].append(time.perf_counter() - start)
    return seconds


def trained(make: Callable[[], Any], seed: int, options: argparse.Namespace) -> Array:
    """Logits of the held-out images, from a model trained with this loss."""
    data = images(options.images, seed + 1, options.wrong_labels)
    steps = options.epochs * math.ceil(options.images / options.batch_size)
    model = compiled(make(), seed, options.width, steps)
    model.fit(
        data.pixels, data.labels, batch_size=options.batch_size, epochs=options.epochs, verbose=0
    )
    return np.asarray(model.predict(held_out().pixels, verbose=0))


@cache
def held_out() -> Images:
    """Those that nothing is trained on."""
    return images(HELD_OUT, seed=0)


def compare(options: argparse.Namespace) -> dict[str, Outcome]:
    """Every loss on the same images, from the same start, in the same order, for each seed."""
    outcomes = {name: Outcome() for name in LOSSES}
    with tqdm(total=options.seeds * len(LOSSES), unit="model") as progress:
        for seed in range(options.seeds):
            for name, make in LOSSES.items():
                progress.set_description(f"{name:<13}")
                logits = trained(make, seed, options)
                outcomes[name].scores.append(scores(logits, held_out().classes))
                if seed == 0:
                    outcomes[name].predicted = logits.argmax(-1)
                progress.update()
    return outcomes


def print_table(outcomes: dict[str, Outcome], times: dict[str, list[float]], title: str) -> None:
    """Means over the seeds; the step's time is the median, and its ratio that of the rounds."""
    columns = list(outcomes[REFERENCE].scores[0])
    print(f"\n{title}\n")
    print(f"{'loss':<14}" + "".join(f"{name:>12}" for name in [*columns, "ms/step", "times"]))
    for name, outcome in outcomes.items():
        cells = "".join(f"{outcome.mean(column):>12.3f}" for column in columns)
        ratio = np.median(np.divide(times[name], times[REFERENCE]))
        print(f"{name:<14}{cells}{1e3 * np.median(times[name]):>12.1f}{ratio:>12.3f}")


def plot(outcomes: dict[str, Outcome], title: str, path: Path) -> None:
    """Images with most rare pixels, what each model saw in them, and bars of the IoU."""
    shown = np.argsort(-(held_out().classes >= FIRST_RARE).sum((1, 2)))[:3]
    palette = mpl.colors.ListedColormap(["#e8e4da", "#c5d3c0", "#c8102e", "#1f6fb2", "#e09f00"])
    figure = plt.figure(figsize=(13, 7.9))
    grid = figure.add_gridspec(4, len(outcomes) + 2, height_ratios=[1, 1, 1, 1.5])
    for row, index in enumerate(shown):
        labels = np.ma.masked_equal(held_out().labels[index], IGNORED)
        panels = {"image": held_out().pixels[index, ..., 0], "labels": labels}
        panels |= {name: outcome.predicted[index] for name, outcome in outcomes.items()}
        for column, (name, panel) in enumerate(panels.items()):
            axes = figure.add_subplot(grid[row, column])
            axes.set(xticks=[], yticks=[], facecolor="#555555")
            if name == "image":
                axes.imshow(panel, cmap="gray")
            else:
                axes.imshow(panel, cmap=palette, vmin=0, vmax=len(CLASSES) - 1)
            if row == 0:
                axes.set_title(name, fontsize=10)
    for half, names in ((slice(0, 4), ("rare IoU", "mean IoU")), (slice(4, None), ("worst 1 %",))):
        axes = figure.add_subplot(grid[3, half])
        bars(axes, outcomes, names)
    figure.suptitle(title, fontsize=11)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, facecolor="white")


def bars(axes: Any, outcomes: dict[str, Outcome], names: tuple[str, ...]) -> None:
    """The means over the seeds, and a dot for each seed."""
    width = 0.8 / len(names)
    for k, (name, color) in enumerate(zip(names, ("#08519c", "#b8b8b8"), strict=False)):
        x = np.arange(len(outcomes)) + (k - (len(names) - 1) / 2) * width
        axes.bar(x, [of.mean(name) for of in outcomes.values()], width, color=color, label=name)
        for at, outcome in zip(x, outcomes.values(), strict=True):
            dots = [of_seed[name] for of_seed in outcome.scores]
            axes.plot([at] * len(dots), dots, ".", color="black", markersize=4)
    axes.set_xticks(range(len(outcomes)), list(outcomes), fontsize=8)
    axes.set_title("cross-entropy of the worst 1 %" if len(names) == 1 else " and ".join(names))
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(names) > 1:
        axes.set_ylim(0, 1)
        axes.legend(frameon=False, loc="upper left", ncols=2)


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--width", type=int, default=12, help="channels of the first layers")
    parser.add_argument("--images", type=int, default=512, help="to train on")
    parser.add_argument("--wrong-labels", type=float, default=0.0, help="share of other classes")
    parser.add_argument("--rounds", type=int, default=30, help="timed steps of each loss")
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder for the picture")
    return parser.parse_args(words)


def main() -> None:
    """Trains, prints the table, draws the picture."""
    options = parsed()
    outcomes = compare(options)
    title = (
        f"{options.images} images of {SIZE} × {SIZE}, batches of {options.batch_size}, "
        f"{options.epochs} epochs, {options.wrong_labels:.0%} wrong labels, {options.seeds} seeds"
    )
    print_table(outcomes, step_seconds(options), f"Held-out images. {title}")
    picture = options.output / "hard_pixels.png"
    plot(outcomes, title, picture)
    print(f"\npicture: {picture}")


if __name__ == "__main__":
    main()
