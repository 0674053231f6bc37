"""The picture: percentiles of the error by epoch. Matplotlib is needed for this alone."""

from pathlib import Path
from typing import Any

# Light to dark towards the tail, and a contrasting threshold.
_COLORS = {"p50": "#9ecae1", "p90": "#4292c6", "p99": "#08519c", "max": "#08306b"}
_THRESHOLD = "#d1495b"


def require_matplotlib() -> None:
    """Raises ImportError that says what to do, before hours of training and not after."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "TailMonitor(picture=…) needs Matplotlib: pip install tailops[picture]; without a "
            "picture, it only logs"
        ) from error


def draw(
    history: dict[str, list[float]], path: Path, schedule: dict[str, list[float]] | None = None
) -> None:
    """Writes the picture.

    Args:
        history: A list of a value per epoch for p50, p90, p99, max, and threshold if there is one.
        path: Its suffix is the format. The background is opaque: it reads on any page.
        schedule: The same of numbers of the loss that move, which are drawn below.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 5.8 if schedule else 4.4))
    FigureCanvasAgg(figure)
    axes: Any
    if schedule:
        axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
        _draw_schedule(schedule, below)
    else:
        axes = figure.add_subplot()
    epochs = range(1, len(history["p50"]) + 1)
    marker = "o" if len(epochs) == 1 else None
    for name, color in reversed(_COLORS.items()):
        style = ":" if name == "max" else "-"
        axes.plot(epochs, history[name], style, color=color, linewidth=2, marker=marker, label=name)
    if "threshold" in history:
        axes.plot(
            epochs,
            history["threshold"],
            "--",
            color=_THRESHOLD,
            linewidth=1.5,
            marker=marker,
            label="threshold of the loss",
        )
    if all(value > 0 for value in history["p50"]):
        axes.set_yscale("log")
        for which in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            which("{x:g}")
    axes.set(ylabel="absolute error, validation data", title="How the tail moved")
    figure.axes[-1].set_xlabel("epoch")
    axes.grid(alpha=0.25, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, facecolor="white")


def _draw_schedule(schedule: dict[str, list[float]], axes: Any) -> None:
    """Each number as stairs: it is what an epoch ended with."""
    for name, values in schedule.items():
        axes.step(range(1, len(values) + 1), values, where="mid", linewidth=1.5, label=name)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
