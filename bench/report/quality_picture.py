"""docs/quality-*.png: for each set the tail of every family against its mean."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.quality.families import CVAR, FAMILIES, L_Q, TAIL_WEIGHTED
from bench.report import pictures
from bench.report.frontier import TAILS, Panel, Row, main_panels
from bench.report.quality import picture

COLORS = {
    L_Q: "#08519c",
    CVAR: "#8a6d3b",
    "Huber": "#4292c6",
    "log-cosh": "#2a9d8f",
    "focal": "#4292c6",
    "hard step": "#6a4c93",
    TAIL_WEIGHTED: "#c8102e",
    "TailWeightedLoss, squared": "#e8774f",
    "HybridPercentileLoss": "#d67ab1",
    "MaxFractionLoss": "#b5a100",
    "TailWeightedLoss, window": "#7a0019",
    "HybridPercentileLoss, window": "#e05080",
    "CVaR, window": "#9c4a1a",
    "TailWeightedLoss, κ = 2": "#ff7f7f",
    "TailWeightedLoss, κ in 1/e": "#f0a000",
}
# What costs more is cut off.
MOST_COST = 30


def draw(result: Row, folder: Path) -> Iterator[Path]:
    """One for each set: batch sizes side by side, a tail in each row; of one size, both."""
    found = main_panels(result)
    for name in dict.fromkeys(panel.name for panel in found):
        yield _draw([panel for panel in found if panel.name == name], folder / picture(name))


def _draw(found: list[Panel], path: Path) -> Path:
    shown = [(tail, panel) for tail in TAILS for panel in found]
    rows = len(shown) // 2
    figure = Figure(figsize=(12.4, 1.5 + 3.5 * rows))
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(rows, 2, squeeze=False)
    for axes, (tail, panel) in zip(grid.flat, shown, strict=True):
        _curves(axes, panel, tail)
        pictures.bare(axes)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 1 / (1.5 + 3.5 * rows), 1, 1))
    figure.savefig(path, dpi=100, facecolor=pictures.BACKGROUND, metadata={"Software": None})
    return path


def _curves(axes: Any, panel: Panel, tail: str) -> None:
    lowest, cheapest = 0.0, 0.0
    for name in panel.families():
        curve, ours = panel.curve([name]), FAMILIES[name].ours
        x, y = 100 * curve.cost.mean(1), 100 * curve.tails[tail].mean(1)
        chosen = curve.efficient(tail)
        axes.plot(x, y, "o" if ours else "s", color=COLORS[name], markersize=3, alpha=0.35)
        width, style = (2.4, ".-") if ours else (1.4, ".--")
        axes.plot(x[chosen], y[chosen], style, color=COLORS[name], linewidth=width, label=name)
        lowest, cheapest = min(lowest, *y[chosen]), min(cheapest, *x[chosen])
    axes.axhline(0, color="#888888", linewidth=1)
    axes.axvline(0, color="#888888", linewidth=1)
    axes.set(
        title=f"{panel.name}, batches of {panel.batch}",
        xlabel="mean, % against the plain mean's",
        ylabel=f"{tail}, %",
        xlim=(cheapest - 1, MOST_COST),
        ylim=(1.08 * lowest - 0.1, -0.2 * lowest + 0.1),
    )
