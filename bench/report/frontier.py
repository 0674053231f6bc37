"""The least tail at a cost in the mean: of a family of losses, from all that was trained of it.

Both are relative to the plain mean (MAE, cross-entropy), seed by seed. Who tries more settings is
luckier: the settings that make a seed's curve are chosen by the other seeds.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import numpy as np

from bench.quality.families import BATCHES, FAMILIES, L_Q, OTHERS
from bench.report.change import Change, over_seeds

Row = dict[str, Any]
TAILS = ("p99", "CVaR 99")
COSTS = (0.02, 0.05, 0.1, 0.2)
MEAN = {"q": 1.0}
NAMES = {
    "percentile": "p",
    "error_scale": "s",
    "delta": "δ",
    "gamma": "γ",
    "beta": "β",
    "fraction": "f",
    "q": "q",
}


def label(options: Row) -> str:
    """The settings that differ within a family."""
    return ", ".join(
        f"{sign} = {options[name]:g}" for name, sign in NAMES.items() if name in options
    )


def efficient(cost: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """Indices of those that no other one beats in both, by ascending cost."""
    order = np.lexsort((tail, cost))
    lowest = np.minimum.accumulate(tail[order])
    new = np.concatenate([[True], lowest[1:] < lowest[:-1]])
    found: np.ndarray = order[new]
    return found


class Curve(NamedTuple):
    """What was trained of a family.

    Attributes:
        rows: The losses, the plain mean first.
        cost: Of each and each seed: the mean, relative to that of the reference.
        tails: The same of what is wanted low.
    """

    rows: list[Row]
    cost: np.ndarray
    tails: dict[str, np.ndarray]

    def efficient(self, tail: str) -> list[int]:
        """Of the means over the seeds."""
        return [int(i) for i in efficient(self.cost.mean(1), self.tails[tail].mean(1))]

    def values(self, tail: str, cost: float) -> list[float]:
        """At this cost, or at less where more buys nothing: for each seed."""
        found, seeds = [], self.cost.shape[1]
        for seed in range(seeds):
            others = [s for s in range(seeds) if s != seed] or [seed]
            chosen = efficient(self.cost[:, others].mean(1), self.tails[tail][:, others].mean(1))
            x, y = self.cost[chosen, seed], self.tails[tail][chosen, seed]
            order = np.argsort(x)
            found.append(float(np.interp(cost, x[order], y[order])))
        return found

    def at(self, tail: str, cost: float) -> Change:
        """The same over the seeds."""
        return over_seeds(self.values(tail, cost))

    def nearest(self, tail: str, cost: float) -> Row:
        """The efficient loss whose cost is nearest."""
        costs = self.cost.mean(1)
        return self.rows[min(self.efficient(tail), key=lambda i: abs(float(costs[i]) - cost))]


class Panel:
    """All that was trained on a table at a batch size.

    Attributes:
        reference: To which everything is relative; None: the plain mean was not trained.
    """

    def __init__(self, result: Row, name: str, batch: int, reference: int | None = None) -> None:
        self.name, self.batch, fits = name, batch, result["fits"]
        self.about = next(of for of in result["tables"] if of["name"] == name)
        of_table = [row for row in fits if row["table"] == name]
        self.rows = [row for row in of_table if row["batch"] == batch]
        plain = {row["batch"]: row for row in of_table if row["options"] == MEAN}
        self.plain = plain.get(batch)
        self.reference = plain.get(reference or batch)

    @property
    def is_main(self) -> bool:
        """Whether everything was trained."""
        return self.batch in BATCHES.get(self.name, OTHERS)[1]

    def families(self) -> list[str]:
        """Of which something was trained besides the plain mean."""
        return [
            name
            for name in FAMILIES
            if any(row["family"] == name and row is not self.plain for row in self.rows)
        ]

    def curve(self, families: Collection[str]) -> Curve:
        """Of these together; the plain mean is one of every family."""
        rows = [row for row in self.rows if row["family"] in families and row is not self.plain]
        rows = [self.plain or {}, *rows]

        def relative(statistic: str) -> np.ndarray:
            of = np.array([row[statistic] for row in rows])
            ratios: np.ndarray = of / np.array((self.reference or {})[statistic]) - 1
            return ratios

        return Curve(rows, relative("mean"), {tail: relative(tail) for tail in TAILS})

    def rivals(self) -> list[str]:
        """What everybody has, but for L_q."""
        return [name for name in self.families() if not FAMILIES[name].ours and name != L_Q]

    def ours(self) -> list[str]:
        """What only tailops has."""
        return [name for name in self.families() if FAMILIES[name].ours]


class Comparison(NamedTuple):
    """At one cost: L_q, the best other one and ours; ours against the better of the two."""

    panel: Panel
    tail: str
    cost: float
    l_q: Change
    other: Change
    ours: Change
    difference: Change
    names: tuple[str, str, str]


def compare(panel: Panel, tail: str, cost: float) -> Comparison:
    """The difference is seed by seed."""
    sets = ([L_Q], panel.rivals(), panel.ours())
    curves = [panel.curve(names) for names in sets]
    l_q, other, ours = (curve.values(tail, cost) for curve in curves)
    best = min(l_q, other, key=sum)
    names = [curve.nearest(tail, cost) for curve in curves]
    return Comparison(
        panel,
        tail,
        cost,
        over_seeds(l_q),
        over_seeds(other),
        over_seeds(ours),
        over_seeds([a - b for a, b in zip(ours, best, strict=True)]),
        (label(names[0]["options"]), _named(names[1]), _named(names[2])),
    )


def _named(row: Row) -> str:
    return f"{row['family']}, {label(row['options'])}" if row["options"] != MEAN else "the mean"


def panels(result: Row) -> Iterator[Panel]:
    """Those in which somebody can be compared."""
    fits = result["fits"]
    for table in result["tables"]:
        batches = dict.fromkeys(row["batch"] for row in fits if row["table"] == table["name"])
        for batch in sorted(batches):
            panel = Panel(result, table["name"], batch)
            if panel.reference is not None and panel.ours() and panel.rivals():
                yield panel


def main_panels(result: Row) -> list[Panel]:
    """Those at which everything was trained."""
    return [panel for panel in panels(result) if panel.is_main]
