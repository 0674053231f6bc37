"""docs/how_selection.png: how a threshold is found without a sort, on a million errors."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report import pictures
from tailops import kernels

N = 1_000_000
PERCENTILE = 0.75
# As csrc/call/sample_plan.h has them.
RUN = 8
DEVIATIONS = 3.5
KEPT, COUNTED, FOUND = "#e8774f", "#b8c4d0", "#c8102e"


class Steps(NamedTuple):
    """What each step of the selection has found."""

    errors: Any
    sample: Any
    places: tuple[int, int]
    low: float
    high: float
    below: int
    kept: Any
    place: int
    threshold: float


def steps() -> Steps:
    """The steps that the kernels take, in NumPy."""
    random = np.random.default_rng(0)
    errors = np.abs(random.standard_t(4, N))
    rank = min(int(N * PERCENTILE), N - 1)
    runs = min(max(int(N ** (2 / 3) / 4) // RUN, 8), 512)
    # A run of neighbours at a random place in each of some equal parts.
    firsts = ((np.arange(runs) + random.random(runs)) * ((N - RUN + 1) / runs)).astype(int)
    sample = np.sort(errors[firsts[:, None] + np.arange(RUN)].ravel())
    q, m = (rank + 0.5) / N, sample.size
    reach = DEVIATIONS * np.sqrt(m * q * (1 - q)) + 2
    places = int(np.floor(q * m - reach)), int(np.ceil(q * m + reach))
    low, high = sample[list(places)]
    below = int(np.sum(errors < low))
    kept = np.sort(errors[(errors >= low) & (errors <= high)])
    place = rank - below
    threshold = float(kept[place])
    options = kernels.TailOptions(percentile=PERCENTILE)
    state = kernels.forward(np.zeros(N), errors, options, reduction="mean").state
    if threshold != state["threshold"][0]:
        raise AssertionError(f"{threshold} is not the kernels' {state['threshold'][0]}")
    return Steps(errors, sample, places, low, high, below, kept, place, threshold)


def draw(path: Path) -> Path:
    """A panel for each step: the sample and its bracket, one pass, what is left."""
    found = steps()
    figure = Figure(figsize=(11, 3.9))
    FigureCanvasAgg(figure)
    drawn, passed, collected = figure.subplots(1, 3)
    _sample(drawn, found)
    _pass(passed, found)
    _collected(collected, found)
    for axes in (drawn, passed, collected):
        pictures.bare(axes)
        axes.set_xlabel("error")
        axes.yaxis.set_major_formatter("{x:,.0f}")
    return pictures.save(figure, path)


def _sample(axes: Any, found: Steps) -> None:
    axes.plot(found.sample, np.arange(found.sample.size), color="#444444", linewidth=2)
    axes.axhspan(*found.places, color=KEPT, alpha=0.35, linewidth=0)
    axes.axvspan(found.low, found.high, color=KEPT, alpha=0.35, linewidth=0)
    axes.annotate(
        f"places {found.places[0]:,} and {found.places[1]:,}:\nthe bracket",
        (found.high, found.places[0]),
        (2.2, found.places[0] - 750),
        arrowprops={"arrowstyle": "-", "color": "#444444"},
        fontsize=9,
    )
    axes.set(xlim=(0, 5), ylabel="place in the sorted sample")
    axes.set_title(f"1  a sample of {found.sample.size:,}", fontsize=11)


def _pass(axes: Any, found: Steps) -> None:
    bins = np.linspace(0, 5, 251)
    counts, _ = np.histogram(found.errors, bins)
    middles = (bins[1:] + bins[:-1]) / 2
    inside = (middles >= found.low) & (middles <= found.high)
    axes.bar(middles, counts, np.diff(bins), color=np.where(inside, KEPT, COUNTED))
    above = N - found.below - found.kept.size
    top = counts.max()
    axes.text(0.08, 0.3 * top, f"{found.below:,}\ncounted", fontsize=9)
    axes.text(found.high + 0.1, 0.55 * top, f"{found.kept.size:,} kept", color=FOUND, fontsize=9)
    axes.text(2.3, 0.16 * top, f"{above:,}\ncounted", fontsize=9)
    axes.set(xlim=(0, 5), ylabel="how many", yticks=[])
    axes.set_title(f"2  one pass over {N:,}", fontsize=11)


def _collected(axes: Any, found: Steps) -> None:
    axes.plot(found.kept, np.arange(found.kept.size), color=KEPT, linewidth=2)
    axes.plot(found.threshold, found.place, "o", color=FOUND)
    rank = f"{found.below + found.place:,} − {found.below:,}\n= {found.place:,}"
    axes.annotate(
        f"place {rank}:\nthe threshold, exactly",
        (found.threshold, found.place),
        (0.03, 0.72),
        textcoords="axes fraction",
        arrowprops={"arrowstyle": "-", "color": "#444444"},
        fontsize=9,
    )
    axes.set(ylabel="place among those kept")
    axes.set_title("3  among the few that are left", fontsize=11)
