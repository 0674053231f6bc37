"""docs/how_gradient.png: what reaches each error, by the three gradients of a tail loss."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench.report import pictures
from tailops import kernels

N = 1000
# Exponential: many small ones, few large.
ERRORS = -np.log1p(-(np.arange(N) + 0.5) / N)
SETTINGS: dict[str, Any] = {"percentile": 0.9, "smoothing_factor": 5.0, "error_scale": 5.0}
COLORS = {"exact": "#c8102e", "fixed_threshold": "#08519c", "fixed_weight": "#2a9d8f"}


def gradients() -> tuple[dict[str, Any], float]:
    """The kernels' gradients of the sum of the losses, by gradient mode; and the threshold."""
    found, threshold = {}, 0.0
    for mode in COLORS:
        options = kernels.TailOptions(**SETTINGS, gradient=mode)
        loss, state = kernels.forward(np.zeros(N), ERRORS, options, reduction="sum")
        threshold = float(state["threshold"][0])
        found[mode] = kernels.backward(
            np.ones_like(loss), np.zeros(N), ERRORS, state, options, reduction="sum"
        )
    return found, threshold


def draw(path: Path) -> Path:
    """The loss of each error, and the gradient that reaches it."""
    figure = Figure(figsize=(11, 3.9))
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    by_mode, threshold = gradients()
    options = kernels.TailOptions(**SETTINGS)
    losses = kernels.forward(np.zeros(N), ERRORS, options, reduction="none").loss
    left.plot(ERRORS, ERRORS, color="#444444", linewidth=2, label="the error itself")
    left.plot(ERRORS, losses, color=COLORS["exact"], linewidth=2, label="ℓ = e(1 + s·h)")
    left.set(xlim=(0, 5), ylim=(0, 31), xlabel="error", ylabel="loss")
    left.set_title("The loss", fontsize=11)
    at = int(np.argmin(np.abs(ERRORS - threshold)))
    for mode, style in zip(COLORS, ("-", "--", "-"), strict=True):
        values = by_mode[mode]
        if mode == "exact":  # but for the threshold's own, which is drawn apart
            values = np.where(np.arange(N) == at, np.nan, values)
        right.plot(ERRORS, values, style, color=COLORS[mode], linewidth=2, label=f'"{mode}"')
    right.annotate(
        f'"exact", at t: {by_mode["exact"][at]:,.0f}'.replace("-", "−"),
        (threshold, -4.8),
        (threshold + 0.4, -3.6),
        arrowprops={"arrowstyle": "->", "color": COLORS["exact"]},
        color=COLORS["exact"],
        fontsize=9,
    )
    right.plot([threshold] * 2, [-5, by_mode["fixed_threshold"][at]], color=COLORS["exact"])
    right.set(xlim=(0, 5), ylim=(-5, 36), xlabel="error", ylabel="gradient")
    right.set_title("What reaches each error", fontsize=11)
    for axes in (left, right):
        axes.axvline(threshold, color="#b8b8b8", linestyle=":", zorder=0)
        pictures.bare(axes)
    left.text(threshold + 0.05, 29, "t", color="#7f7f7f")
    left.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0, 0.9))
    right.legend(frameon=False, fontsize=9, loc="upper right")
    return pictures.save(figure, path)
