"""docs/quality.png: the tail of every loss against its mean, and one option at a time."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report import pictures
from bench.report.quality import REFERENCE, Change, Fits, Row, change

COLORS = {
    "MAE": "#888888",
    "MSE": "#4c78a8",
    "Huber": "#8a6d3b",
    "quantile-weighted": "#6a4c93",
    "PercentileLoss, published": "#e8a0a8",
    "PercentileLoss": "#c8102e",
    "PercentileLoss, squared": "#e8774f",
    "HybridPercentileLoss": "#2a9d8f",
    "MaxFractionLoss": "#b5a100",
}


def draw(result: Row, path: Path) -> Path:
    """Tail against mean for each table; and one option at a time for the first."""
    fits = Fits(result)
    tables = fits.tables
    columns = max(len(tables), 4)
    figure = Figure(figsize=(3.6 * columns, 8.2))
    FigureCanvasAgg(figure)
    grid: Any = figure.subplots(2, columns)
    for axes, name in zip(grid[0], tables, strict=False):
        _trade(axes, fits, name)
    panels = [*_panels(fits, tables[0])] if tables else []
    for axes, (title, x_label, log, points) in zip(grid[1], panels, strict=False):
        for statistic, color in (("p99", "#c8102e"), ("mean", "#888888")):
            x = [x for x, _ in points]
            y = [100 * of[statistic].mean for _, of in points]
            half = [100 * of[statistic].half for _, of in points]
            axes.errorbar(x, y, half, fmt="o-", color=color, capsize=2, label=statistic)
        axes.axhline(0, color="#888888", linewidth=1, linestyle="--")
        axes.set(title=title, xlabel=x_label, ylabel="% against MAE")
        if log:
            axes.set_xscale(log)
            ticks = x if len(x) < 7 else [x for x in x if math.log10(x).is_integer()]
            axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
            axes.minorticks_off()
        axes.legend(frameon=False)
    for axes in grid[0][len(tables) :].tolist() + grid[1][len(panels) :].tolist():
        axes.set_visible(False)
    for axes in grid.flat:
        pictures.bare(axes)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=5, frameon=False)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(path, dpi=110, facecolor=pictures.BACKGROUND, metadata={"Software": None})
    return path


def _trade(axes: Any, fits: Fits, name: str) -> None:
    batch = fits.usual_batch(name)
    reference = fits.main(name, REFERENCE, batch)
    for row in fits.of(name, "losses", batch):
        if reference is None:
            break
        mean, tail = change(row, reference, "mean"), change(row, reference, "p99")
        axes.errorbar(
            [100 * mean.mean],
            [100 * tail.mean],
            xerr=[100 * mean.half] if math.isfinite(mean.half) else None,
            yerr=[100 * tail.half] if math.isfinite(tail.half) else None,
            fmt="o",
            markersize=8,
            color=COLORS.get(row["label"], "#444444"),
            label=row["label"],
        )
    axes.axhline(0, color="#888888", linewidth=1, linestyle="--")
    axes.axvline(0, color="#888888", linewidth=1, linestyle="--")
    axes.set(
        title=f"{name}, batches of {batch}",
        xlabel="mean error, % against MAE",
        ylabel="p99, % against MAE",
    )


def _panels(fits: Fits, name: str) -> Iterator[tuple[str, str, str, list[Any]]]:
    def changes(row: Row, batch: int) -> dict[str, Change] | None:
        reference = fits.main(name, REFERENCE, batch)
        if reference is None:
            return None
        return {which: change(row, reference, which) for which in ("p99", "mean")}

    by_batch = [
        (batch, changes(row, batch))
        for batch in fits.batches(name)
        if (row := fits.main(name, "PercentileLoss", batch)) is not None
    ]
    yield "PercentileLoss, by batch size", "batch size", "log", [p for p in by_batch if p[1]]
    batch = fits.usual_batch(name)
    for section, log in (("percentile", ""), ("smoothing_factor", "log"), ("error_scale", "")):
        points = [(float(row["label"]), changes(row, batch)) for row in fits.of(name, section)]
        points = [point for point in points if point[1]]
        if points:
            yield f"by {section}, batches of {batch}", section, log, points
