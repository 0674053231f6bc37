"""Which loss with which settings for which cost in the mean: over all sets of numbers at once."""

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from bench.quality.families import TAIL_WEIGHTED
from bench.report.frontier import COSTS, TAILS, Panel, Row, label
from bench.report.text import percent, table


class Advice(NamedTuple):
    """A loss, and what it did in each panel: the mean and the tails against the plain mean's."""

    family: str
    options: Row
    cost: np.ndarray
    tails: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        """As the tables have it."""
        return f"{self.family}, {label(self.options)}"


def _everywhere(found: list[Panel], families: Collection[str]) -> Iterator[Advice]:
    """Every loss that all panels have."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for panel in found:
        for family in set(panel.families()) & set(families):
            curve = panel.curve([family])
            for i, row in enumerate(curve.rows[1:], 1):
                values = (curve.cost[i].mean(), *(curve.tails[tail][i].mean() for tail in TAILS))
                rows.setdefault(json.dumps([family, row["options"]]), []).append(values)
    for key, of_panels in rows.items():
        if len(of_panels) == len(found):
            cost, *tails = np.array(of_panels).T
            family, options = json.loads(key)
            yield Advice(family, options, cost, dict(zip(TAILS, tails, strict=True)))


def advice(found: list[Panel], families: Collection[str], cost: float) -> Advice | None:
    """Of those whose mean costs no more, over the panels, the one with the lowest first tail."""
    cheap = [one for one in _everywhere(found, families) if one.cost.mean() <= cost]
    return min(cheap, key=lambda one: float(one.tails[TAILS[0]].mean()), default=None)


def of_numbers(found: list[Panel]) -> list[Panel]:
    """Where κ has one meaning: targets divided by their standard deviation."""
    return [panel for panel in found if panel.task == "numbers"]


def _range(values: np.ndarray) -> str:
    return f"{percent(values.mean())} ({percent(values.min())} to {percent(values.max())})"


def guidance(found: list[Panel]) -> str:
    """The best of all, and of the one to begin with, for each cost."""
    panels = of_numbers(found)
    everything = {name for panel in panels for name in panel.families()}
    lines: list[list[str]] = []
    for cost in COSTS:
        for families in (everything, [TAIL_WEIGHTED]):
            one = advice(panels, families, cost)
            cells = [percent(cost), one.name] if one else []
            if one and cells not in [line[:2] for line in lines]:
                ranges = (_range(of) for of in (one.cost, *one.tails.values()))
                lines.append([*cells, *ranges])
    names = ", ".join(f"{panel.name} ({panel.batch})" for panel in panels)
    return (
        "## Which loss for which cost\n\n"
        f"One setting for {names}, the batch sizes in brackets: of all losses whose mean costs no "
        "more than this on average, the one with the lowest p99, and the same of "
        f"{TAIL_WEIGHTED} alone. Means over these, and from the lowest to the highest.\n\n"
        + table(["at most", "loss", "mean", *TAILS], lines)
    )


def lines(found: list[Panel]) -> Iterator[str]:
    """The README's: what to set for which cost."""
    panels = of_numbers(found)
    for cost in COSTS[:3]:
        one = advice(panels, [TAIL_WEIGHTED], cost)
        if one:
            p, s = one.options["percentile"], one.options["error_scale"]
            yield (
                f"- at most {percent(cost)} in the mean: "
                f'`TailWeightedLoss("mae", percentile={p:g}, error_scale={s:g})`, '
                f"p99 {_range(one.tails[TAILS[0]])}"
            )
