"""docs/tail_weights.png: what each value of a sorted group weighs in the gradient."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report import pictures

N = 1000
# Exponential, as losses are: many small ones, few large.
VALUES = -np.log1p(-(np.arange(N) + 0.5) / N)
WEIGHTED = "tail_weighted(percentile=0.95,\n  error_scale=20, smoothing_factor=5)"
Curves = dict[str, Any]


def of_range(lower: float, upper: float) -> Any:
    """The masses of the positions between two, as shares of all mass."""
    positions = np.arange(N)
    mass = np.minimum(positions + 1, upper) - np.maximum(positions, lower)
    return np.clip(mass, 0, None) / (upper - lower)


def of_threshold(threshold: float, min_kept: int) -> Any:
    """OHEM: the same for each value from the lower of the threshold and the m-th largest on."""
    kept = min(threshold, VALUES[-min_kept]) <= VALUES
    return kept / kept.sum()


def of_tail(percentile: float, error_scale: float, smoothing_factor: float) -> Any:
    """The weighted tail with `gradient="fixed_weight"`, divided by n as a mean is."""
    threshold = VALUES[min(int(N * percentile), N - 1)]
    in_tail = 0.5 * (1 + np.tanh(smoothing_factor * (VALUES - threshold)))
    return (1 + error_scale * in_tail) / N


def curves() -> Curves:
    """Weights by the value's position, smallest first; the names are what the call is."""
    return {
        "the mean": of_range(0, N),
        "cvar(percentile=0.9)": of_range(0.9 * N, N),
        "average_top_k(k=n / 4)": of_range(0.75 * N, N),
        "trimmed_mean(fraction=0.1)": of_range(0, 0.9 * N),
        "range_mean(lower=0.25, upper=0.75)": of_range(0.25 * N, 0.75 * N),
        "ohem(threshold=0.7)": of_threshold(0.7, 1),
        WEIGHTED: of_tail(0.95, 20, 5),
    }


def draw(path: Path) -> Path:
    """A panel for those that leave values out, and one for the weighted tail, which leaves none."""
    figure = Figure(figsize=(11, 3.9))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    mean, *ranges, tail = curves().items()
    for axes, some in ((left, [mean, *ranges]), (right, [mean, tail])):
        for (name, weights), color in zip(some, ["#444444", *pictures.COLORS], strict=False):
            axes.step(
                np.arange(N + 1) / N,
                [*(N * weights), N * weights[-1]],
                where="post",
                color="#c8102e" if name == tail[0] else color,
                linewidth=2,
                label=name,
            )
        axes.set(xlabel="share of the group that is smaller", ylabel="n × weight")
        axes.legend(frameon=False, fontsize=8, loc="upper left")
        pictures.bare(axes)
    left.set_title("The mean of a range: nothing outside it", fontsize=11)
    right.set_title("The weighted tail: all learn, the tail more", fontsize=11)
    return pictures.save(figure, path)
