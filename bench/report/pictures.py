"""Pictures of a run: speed-up over tf.sort, and how close to what memory allows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report.speed import OURS, SORT

# Opaque: reads on a light page and on a dark one.
BACKGROUND = "white"
OURS_COLORS = {OURS: "#c8102e", "tailops, XLA": "#e8774f", "tailops, JAX": "#f0a98c"}
COLORS = ["#08519c", "#2a9d8f", "#6a4c93", "#8a6d3b", "#4292c6", "#7f7f7f", "#b5a100", "#444444"]
PASS_COLORS = {"selection": "#2a9d8f", "forward": "#c8102e", "backward": "#08519c"}


def new(width: float = 8.0, height: float = 4.8) -> tuple[Figure, Any]:
    """A figure and its axes."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    bare(axes)
    return figure, axes


def bare(axes: Any) -> None:
    """A grid, and no box."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def save(figure: Figure, path: Path) -> Path:
    """The same bytes for the same numbers."""
    figure.tight_layout()
    figure.savefig(path, dpi=130, facecolor=BACKGROUND, metadata={"Software": None})
    return path


def _speed_up(result: dict[str, Any], path: Path) -> Path:
    rows = [
        row
        for row in result["cases"]
        if row["what"] == "loss and gradient"
        and (row["data"], row["dtype"], row["shape"]) == ("random", "float32", "one group")
        and SORT in row["who"]
    ]
    figure, axes = new()
    names = dict.fromkeys(name for row in rows for name in row["who"] if name != SORT)
    colors = iter(COLORS)
    for name in names:
        points = [
            (row["n"], row["who"][SORT]["seconds"] / row["who"][name]["seconds"])
            for row in rows
            if name in row["who"]
        ]
        if name in ("tailops, eager", "tailops kernels"):
            continue
        bold = name in OURS_COLORS
        color = OURS_COLORS[name] if bold else next(colors, "#999999")
        x, y = zip(*points, strict=True)
        width = 2.6 if bold else 1.5
        axes.plot(x, y, "o-", color=color, linewidth=width, markersize=4, label=name)
    axes.axhline(1, color="#888888", linewidth=1, linestyle="--")
    axes.set(xscale="log", yscale="log", xlabel="elements in the batch", ylabel="times as fast")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_title("Loss and gradient: speed-up over tf.sort, the loss as published", fontsize=11)
    axes.legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(figure, path)


def _floor(result: dict[str, Any], path: Path) -> Path:
    rows = [row for row in result["scaling"] if row["by"] == "n"]
    figure, axes = new(7.0, 4.4)
    highest = 1.0
    for name, color in PASS_COLORS.items():
        x = [row["n"] for row in rows]
        y = [1 / row[name]["times_floor"] for row in rows]
        highest = max(highest, *y)
        axes.plot(x, y, "o-", color=color, linewidth=2, markersize=4, label=name)
    axes.axhline(1, color="#888888", linewidth=1, linestyle="--")
    axes.set(xscale="log", xlabel="elements", ylabel="time of the floor / time of the kernel")
    axes.set_ylim(0, 1.08 * highest)
    axes.set_title("Fraction of what memory allows, one thread", fontsize=11)
    axes.legend(frameon=False, loc="upper left")
    return save(figure, path)


def draw(result: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Both, where there are rows for them."""
    kind = result["machine"]["kind"]
    yield _speed_up(result, folder / f"speed_up-{kind}.png")
    yield _floor(result, folder / f"floor-{kind}.png")
