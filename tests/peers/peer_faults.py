"""Deliberately wrong adapters, with which the harness must report failures."""

import numpy as np


class Right:
    """Nothing is wrong."""

    def arguments(self, arrays, settings):
        """What is passed on."""
        return arrays, settings

    def result(self, value):
        """What is returned."""
        return value


class Scaled(Right):
    """A thousandth too much."""

    def result(self, value):
        return value + value / 1000


class MethodIgnored(Right):
    """Always the same one."""

    def arguments(self, arrays, settings):
        return arrays, {**settings, **({"method": "lower"} if "method" in settings else {})}


class AxisIgnored(Right):
    """Always the first one, where one is given."""

    def arguments(self, arrays, settings):
        axis = settings["axis"]
        return arrays, {**settings, "axis": axis if axis is None or arrays[0].ndim == 0 else 0}


class RankOff(Right):
    """The neighbour: q is one element's share too large."""

    def arguments(self, arrays, settings):
        if len(arrays) < 2 or arrays[0].size < 2:
            return arrays, settings
        x, q = arrays
        whole = 1 if np.all(q <= 1) else 100
        moved = np.minimum(q + whole / x.size, whole)
        return [x, np.where((q >= 0) & (q <= whole), moved, q).astype(np.float64)], settings


class NanIsLarge(Right):
    """NaN is a number above all others, as for a sort."""

    def arguments(self, arrays, settings):
        x, *q = arrays
        if x.dtype.kind == "f":
            x = np.where(np.isnan(x), np.finfo(x.dtype).max, x)
        return [x, *q], settings


FAULTS = {
    "scaled": Scaled,
    "method ignored": MethodIgnored,
    "axis ignored": AxisIgnored,
    "rank off": RankOff,
    "nan is large": NanIsLarge,
}
