"""What a model's window holds as an epoch ends."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tailops import kernels
from tailops._numbers import number_in_config
from tailops._options import VALUE, TailOptions
from tailops.layers import ErrorWindow
from tailops.losses import CVaRLoss
from tailops.losses._around import AroundLoss
from tailops.losses._base import TailLoss

__all__ = ["OfWindow", "measured"]


class OfWindow(NamedTuple):
    """The loss's threshold, NaN of no errors, and how many errors there are."""

    threshold: float
    filled: int


def _windows_of(model: Any) -> Iterator[ErrorWindow]:
    for layer in getattr(model, "layers", ()):
        if isinstance(layer, ErrorWindow) and layer.built:
            yield layer
        yield from _windows_of(layer)


def measured(model: Any, loss: Any) -> OfWindow | None:
    """Of a model with one loss that has a window; else None."""
    if not isinstance(loss, TailLoss | AroundLoss) or loss.window is None:
        return None
    windows = list(_windows_of(model))
    if len(windows) != 1:
        return None
    errors, written = np.asarray(windows[0].errors), int(np.asarray(windows[0].written))
    filled = min(written, len(errors))
    if filled == 0:
        return OfWindow(float("nan"), 0)
    options = _options_of(loss)
    _, state = kernels.forward(errors[:filled], errors[:filled], options, reduction="sum")
    return OfWindow(float(state["threshold"].item()), filled)


def _options_of(loss: Any) -> TailOptions:
    """What selects its threshold from errors, with what its variables hold."""
    if isinstance(loss, CVaRLoss):
        least = 1e-300  # 0, the rank of the smallest, is no percentile of a threshold
        return TailOptions(percentile=number_in_config(loss.percentile) or least, error=VALUE)
    return TailOptions(**loss.options.of_errors().get_config())
