"""Which loss with which settings for which cost in the mean: one setting for several sets."""

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from bench.quality.families import TAIL_WEIGHTED
from bench.report.frontier import COSTS, TAILS, Panel, Row, label, main_panels
from bench.report.text import percent, table

LARGE = 5000


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


def of_large(found: list[Panel]) -> list[Panel]:
    """What is advised from: numbers, divided by their standard deviation, of many real rows."""
    return [
        panel
        for panel in found
        if panel.about["task"] == "numbers"
        and panel.about["rows"] >= LARGE
        and "noise" not in panel.about
    ]


def _range(values: np.ndarray) -> str:
    return f"{percent(values.mean())} ({percent(values.min())} to {percent(values.max())})"


def guidance(found: list[Panel]) -> str:
    """The best of all, and of the one to begin with, for each cost."""
    panels = of_large(found)
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


def _lines(found: list[Panel]) -> Iterator[str]:
    everything = {name for panel in found for name in panel.families()}
    for cost in COSTS[:3]:
        ours, best = (advice(found, families, cost) for families in ([TAIL_WEIGHTED], everything))
        if ours and best:
            p, s = ours.options["percentile"], ours.options["error_scale"]
            better = f"; of all losses {best.name}: p99 {_range(best.tails[TAILS[0]])}"
            yield (
                f"- at most {percent(cost)} in the mean: "
                f'`TailWeightedLoss("mae", percentile={p:g}, error_scale={s:g})`, '
                f"p99 {_range(ours.tails[TAILS[0]])}{better if best.name != ours.name else ''}\n"
            )


def advised(found: list[Panel]) -> str:
    """What to set for which cost, a line each."""
    panels = of_large(found)
    names = " and ".join(dict.fromkeys(panel.name for panel in panels))
    return (
        f"One setting for {names}, against MAE, on average and from the lowest to the highest:\n\n"
        + "".join(_lines(panels))
    )


def blocks(results: list[Row]) -> dict[str, str]:
    """By name; of the first result that is of it."""
    found = [result for result in results if "fits" in result]
    return {"settings": advised(main_panels(found[0]))} if found else {}
