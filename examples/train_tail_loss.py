"""Trains one model with ordinary losses and with tailops, and compares the tails of their errors.

    python examples/train_tail_loss.py
    python examples/train_tail_loss.py --csv housing.csv --target median_house_value

Without --csv: California housing, see data/README.md. A table may have missing values and text
columns; of one with few rows, every row is held out once (cross-validation).
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import matplotlib as mpl
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tqdm import tqdm

from tailops.losses import HybridPercentileLoss, PercentileLoss

mpl.use("Agg")
import matplotlib.pyplot as plt

HOUSING = Path(__file__).parent / "data/california_housing.csv.gz"
Array = np.ndarray[Any, np.dtype[np.float32]]

# The target is divided by its standard deviation for training, so 1/κ is in standard deviations
# of the target, and one setting serves data of any unit. The settings come from a search on
# California housing; the step and the gradient of the published ones are too sharp to train on.
LOSSES: dict[str, Callable[[], keras.losses.Loss]] = {
    "MAE": lambda: keras.losses.MeanAbsoluteError(),
    "MSE": lambda: keras.losses.MeanSquaredError(),
    "PercentileLoss, published": lambda: PercentileLoss(),
    "PercentileLoss": lambda: PercentileLoss(
        percentile=0.95, smoothing_factor=5.0, error_scale=20.0, gradient="fixed_weight"
    ),
    "PercentileLoss, squared": lambda: PercentileLoss(
        percentile=0.95,
        smoothing_factor=5.0,
        error_scale=10.0,
        error="squared",
        gradient="fixed_weight",
    ),
    "HybridPercentileLoss": lambda: HybridPercentileLoss(
        percentile=0.95, smoothing_factor=5.0, error_scale=20.0, beta=0.5, gradient="fixed_weight"
    ),
}


@dataclass
class Split:
    """Standardised features and targets; `unit` is what one unit of the targets was."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    unit: float


@dataclass
class Outcome:
    """What one loss achieved over all splits."""

    errors: list[Array] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """The table's columns: statistics of each split's held-out errors, averaged."""
        statistics = {
            "mean": np.mean,
            "median": np.median,
            "p90": lambda e: np.quantile(e, 0.90),
            "p99": lambda e: np.quantile(e, 0.99),
            "max": np.max,
        }
        averaged = {
            name: float(np.mean([of(errors) for errors in self.errors]))
            for name, of in statistics.items()
        }
        return {**averaged, "s/epoch": float(np.mean(self.seconds))}


def load_table(csv: Path, target: str) -> tuple[pd.DataFrame, pd.Series, str]:
    """Features, target, and the name of the data."""
    table = pd.read_csv(csv)
    if target not in table.columns:
        raise SystemExit(f"--target {target}: must be one of {', '.join(table.columns)}")
    table = table.dropna(subset=[target])
    return table.drop(columns=target), table[target], Path(csv.name.removesuffix(".gz")).stem


def table_arguments() -> argparse.ArgumentParser:
    """The arguments that choose a table, for programs that have others as well."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--csv", type=Path, default=HOUSING, help="a table with a header")
    parser.add_argument("--target", default="median_house_value", help="the column to predict")
    return parser


def splits(x: pd.DataFrame, y: pd.Series, seeds: int) -> Iterator[tuple[int, Split]]:
    """Five folds for few rows, pooled by seed; one fifth held out for many."""
    folds = 5 if len(x) < 5000 else 1
    for seed in range(seeds):
        parts = list(KFold(5, shuffle=True, random_state=seed).split(x))[:folds]
        for train, test in parts:
            yield seed, standardised(x, y, train, test)


def standardised(x: pd.DataFrame, y: pd.Series, train: Array, test: Array) -> Split:
    """One split; everything that is fitted is fitted on the training rows."""
    features = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            make_column_selector(dtype_include=np.number),
        ),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            ),
            make_column_selector(dtype_exclude=np.number),
        ),
    )
    targets = y.to_numpy(np.float64)
    center, unit = targets[train].mean(), targets[train].std()
    scaled = ((targets - center) / unit).astype(np.float32)[:, None]
    return Split(
        features.fit_transform(x.iloc[train]).astype(np.float32),
        scaled[train],
        features.transform(x.iloc[test]).astype(np.float32),
        scaled[test],
        float(unit),
    )


def train(
    loss: keras.losses.Loss, split: Split, seed: int, epochs: int, batch_size: int, width: int
) -> tuple[Array, float]:
    """Held-out absolute errors in the target's own unit, and seconds per epoch after the first."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((split.x_train.shape[1],)),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), loss)
    rows = len(split.x_train)
    data = (
        tf.data.Dataset.from_tensor_slices((split.x_train, split.y_train))
        .cache()
        .shuffle(rows, seed=seed)
        .batch(batch_size)
        .prefetch(1)
    )
    model.fit(data, epochs=1, shuffle=False, verbose=0)  # the data set shuffles
    start = time.perf_counter()
    model.fit(data, epochs=epochs, initial_epoch=1, shuffle=False, verbose=0)
    seconds = (time.perf_counter() - start) / max(epochs - 1, 1)
    predicted = np.asarray(model(split.x_test, training=False))
    return np.abs(predicted - split.y_test)[:, 0] * split.unit, seconds


def compare(
    x: pd.DataFrame, y: pd.Series, seeds: int, epochs: int, batch_size: int, width: int
) -> dict[str, Outcome]:
    """Every loss on every split. The folds of one seed make one set of held-out errors."""
    outcomes = {name: Outcome() for name in LOSSES}
    jobs = [(seed, split) for seed, split in splits(x, y, seeds)]
    with tqdm(total=len(jobs) * len(LOSSES), unit="model") as progress:
        for name, make_loss in LOSSES.items():
            progress.set_description(f"{name:<26}")
            by_seed: dict[int, list[Array]] = {}
            for seed, split in jobs:
                errors, seconds = train(make_loss(), split, seed, epochs, batch_size, width)
                by_seed.setdefault(seed, []).append(errors)
                outcomes[name].seconds.append(seconds)
                progress.update()
            outcomes[name].errors = [np.concatenate(folds) for folds in by_seed.values()]
    return outcomes


def print_table(outcomes: dict[str, Outcome], title: str) -> None:
    """Absolute errors on held-out rows; mean and 99th percentile against MAE's."""
    rows = {name: outcome.row() for name, outcome in outcomes.items()}
    columns = list(rows["MAE"])
    print(f"\n{title}\n")
    header = "".join(f"{column:>10}" for column in columns)
    print(f"{'loss':<26}{header}  mean vs MAE  p99 vs MAE")
    for name, row in rows.items():
        cells = "".join(f"{number(row[column]):>10}" for column in columns)
        mean, p99 = (row[column] / rows["MAE"][column] - 1 for column in ("mean", "p99"))
        print(f"{name:<26}{cells}{mean:>+13.1%}{p99:>+12.1%}")


def number(value: float) -> str:
    """Four digits, and no fewer than the whole number has."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def plot(outcomes: dict[str, Outcome], title: str, path: Path) -> None:
    """Two panels: every percentile of the error relative to MAE's, and p99 against the mean."""
    palette = ["#888888", "#4c78a8", "#e0a458", "#d1495b", "#2a9d8f", "#6a4c93"]
    figure, (tail, trade) = plt.subplots(1, 2, figsize=(11, 4.6))
    rows = min(sum(map(len, outcome.errors)) for outcome in outcomes.values())
    beyond = np.geomspace(0.5, max(1e-3, 3 / rows), 200)  # share of errors that are larger
    reference = np.quantile(np.concatenate(outcomes["MAE"].errors), 1 - beyond)
    for (name, outcome), color in zip(outcomes.items(), palette, strict=True):
        quantiles = np.quantile(np.concatenate(outcome.errors), 1 - beyond)
        style = "--" if "published" in name else "-"
        tail.plot(
            beyond, 100 * (quantiles / reference - 1), style, color=color, label=name, linewidth=2
        )
        row = outcome.row()
        trade.scatter(row["mean"], row["p99"], s=90, color=color, zorder=3)
    ticks = [share for share in (0.5, 0.1, 0.05, 0.01, 0.001) if share >= beyond[-1]]
    tail.set_xscale("log")
    tail.invert_xaxis()
    tail.set_xticks(ticks, [f"p{100 * (1 - share):g}" for share in ticks])
    tail.minorticks_off()
    tail.set(
        xlabel="percentile of the absolute error, held-out data",
        ylabel="% above or below MAE's",
        title="From the median to the tail",
    )
    trade.set(
        xlabel="mean absolute error", ylabel="its 99th percentile", title="What the tail costs"
    )
    trade.margins(0.15)
    for axes in (tail, trade):
        axes.ticklabel_format(axis="y", useMathText=True)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.legend(*tail.get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor="white")


def main() -> None:
    """Parses the command line, trains, prints the table, draws the picture."""
    about = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(description=about, parents=[table_arguments()])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, help="default: 512, or 128 for few rows")
    parser.add_argument("--width", type=int, default=64, help="units of the two hidden layers")
    parser.add_argument("--output", type=Path, default=Path("out"), help="folder for the picture")
    arguments = parser.parse_args()

    x, y, name = load_table(arguments.csv, arguments.target)
    batch_size = arguments.batch_size or (128 if len(x) < 5000 else 512)
    outcomes = compare(x, y, arguments.seeds, arguments.epochs, batch_size, arguments.width)
    title = (
        f"{name}: {y.name}, {len(x)} rows, batches of {batch_size}, {arguments.epochs} epochs, "
        f"{arguments.seeds} seeds"
    )
    print_table(outcomes, "Absolute errors on held-out data. " + title)
    picture = arguments.output / f"{name}_tail.png"
    plot(outcomes, title, picture)
    print(f"\npicture: {picture}")


if __name__ == "__main__":
    main()
