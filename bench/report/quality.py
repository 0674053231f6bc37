"""docs/quality.md: at equal cost in the mean, who has the lowest tail."""

import statistics
from collections.abc import Iterator

from bench.quality.families import FAMILIES, L_Q, TAIL_WEIGHTED, WINDOW
from bench.report import quality_text, settings
from bench.report.change import Change, over_seeds
from bench.report.frontier import COSTS, TAILS, Comparison, Panel, Row, compare, main_panels, panels
from bench.report.text import digits, head, percent, table

ACCURACY = "accuracy"
MARKS = {"better": "{} (better)", "worse": "**{} (worse)**", "no difference shown": "{}"}
# Batches of 32 are compared with large ones.
SMALL = 32
WINDOWED = f"{TAIL_WEIGHTED}, window"


def at(panel: Panel) -> str:
    """Which panel."""
    return f"{panel.name}, batches of {panel.batch}"


def comparisons(found: list[Panel]) -> list[Comparison]:
    """Every panel, tail and cost."""
    return [compare(panel, tail, cost) for panel in found for tail in TAILS for cost in COSTS]


def _in_short(found: list[Comparison]) -> str:
    lines = []
    for tail in TAILS:
        of = [one for one in found if one.tail == tail]
        verdicts = [one.difference.verdict for one in of]
        better, worse = verdicts.count("better"), verdicts.count("worse")
        lines.append(
            f"- **{tail}**: in {better} of {len(of)} combinations of a set, a batch size and a "
            f"cost, ours is lower than L_q and all others, by more than the seeds' spread "
            f"explains; in {worse} it is higher, in {len(of) - better - worse} no difference is "
            "shown."
        )
    return "\n".join(lines) + "\n"


def _summary(panel: Panel, tail: str) -> str:
    lines = []
    for cost in COSTS:
        one = compare(panel, tail, cost)
        lines.append(
            [
                percent(cost),
                f"{one.l_q} ({one.names[0]})",
                f"{one.other} ({one.names[1]})",
                f"{one.ours} ({one.names[2]})",
                str(one.difference),
            ]
        )
    heads = [f"{tail} at a cost of", "L_q", "the best other", "ours", "ours less the better one"]
    return table(heads, lines)


def _families(panel: Panel) -> str:
    lines = []
    for name in panel.families():
        curve = panel.curve([name])
        lines.append([name, *(str(curve.at(TAILS[0], cost)) for cost in COSTS)])
    return table(["at a cost of", *(percent(cost) for cost in COSTS)], lines)


def _plain(panel: Panel) -> str:
    """What everything is relative to."""
    row = panel.plain or {}
    values = (f"{of} {digits(statistics.fmean(row[of]), 4)}" for of in ("mean", *TAILS))
    return f"The plain mean has: {', '.join(values)}."


def _accuracy(panel: Panel) -> str:
    lines = []
    for name in panel.families():
        curve = panel.curve([name])
        rows = (curve.rows[0], *(curve.nearest(TAILS[0], cost) for cost in COSTS))
        lines.append([name, *(f"{statistics.fmean(row[ACCURACY]):.4f}" for row in rows)])
    heads = [
        "accuracy, by p99 nearest to a cost of",
        percent(0),
        *(percent(cost) for cost in COSTS),
    ]
    return table(heads, lines)


def _set(found: list[Panel]) -> Iterator[str]:
    name = found[0].name
    yield f"### {name}\n"
    yield f"![Tail and mean of every family on {name}]({picture(name)})\n"
    for panel in found:
        yield f"Batches of {panel.batch}. {_plain(panel)}\n"
        yield from (_summary(panel, tail) for tail in TAILS)
        if ACCURACY in panel.rows[0]:
            yield _accuracy(panel)
        details = "<details><summary>p99 of every family</summary>"
        yield f"{details}\n\n{_families(panel)}\n</details>\n"


def picture(name: str) -> str:
    """The file of a set's picture."""
    return f"quality-{name}.png"


def _batches(result: Row, name: str, batches: list[int]) -> Iterator[str]:
    """All batch sizes against the plain mean of the largest, and windows against large batches."""
    largest = max(batches)
    lines, values = [], {}
    for batch in batches:
        panel = Panel(result, name, batch, reference=largest)
        for family in (L_Q, TAIL_WEIGHTED, WINDOWED):
            if family in panel.families():
                curve = panel.curve([family])
                values[family, batch] = [curve.values(TAILS[0], cost) for cost in COSTS]
                cells = (str(over_seeds(of)) for of in values[family, batch])
                lines.append([family, str(batch), *cells])
    costs = [percent(cost) for cost in COSTS]
    yield table([f"{name}: p99 at a cost of", "batch", *costs], lines)
    small, large = (WINDOWED, SMALL), (TAIL_WEIGHTED, largest)
    if small in values and large in values:
        differences = [
            over_seeds([x - y for x, y in zip(a, b, strict=True)])
            for a, b in zip(values[small], values[large], strict=True)
        ]
        said = "; ".join(
            f"at {cost} {one} ({one.verdict})" for cost, one in zip(costs, differences, strict=True)
        )
        yield (
            f"{name}, batches of {SMALL} with the window less those of {largest} without, in "
            f"points of that MAE's p99: {said}.\n"
        )


def _not_better(found: list[Comparison]) -> str:
    rows: dict[tuple[str, str], list[Change]] = {}
    for one in found:
        rows.setdefault((at(one.panel), one.tail), []).append(one.difference)
    lines = [
        [*key, *(MARKS[of.verdict].format(of) for of in differences)]
        for key, differences in rows.items()
        if any(of.verdict != "better" for of in differences)
    ]
    heads = ["ours less the better one, at a cost of", "", *(percent(cost) for cost in COSTS)]
    return table(heads, lines) if lines else "Nowhere.\n"


def _trained(result: Row) -> str:
    fits = result["fits"]
    names = dict.fromkeys(row["table"] for row in fits)
    about = [
        f"- **{of['name']}**: {of['about']}{_noise(of)}"
        for of in result["tables"]
        if of["name"] in names
    ]
    grid = []
    for name in names:
        of = {row["batch"]: row["epochs"] for row in fits if row["table"] == name}
        passes = ", ".join(str(batch) for batch in sorted(of))
        grid.append(f"- {name}: {max(of.values())} passes, batches of {passes}")
    seconds = sum(row["seconds"] for row in fits)
    families = {row["family"] for row in fits}
    return quality_text.TRAINED.format(
        tables="\n".join(about),
        grid="\n".join(grid),
        seeds=result["seeds"],
        models=f"{len(fits) * result['seeds']:,}",
        losses=f"{len(fits):,}",
        hours=digits(seconds / 3600, 2),
        window=f"{WINDOW:,}",
        families="\n".join(f"- {name}: {_grid(name)}" for name in FAMILIES if name in families),
    )


def _noise(of: Row) -> str:
    if "noise" not in of:
        return ""
    values = ", ".join(f"{name} {digits(value)}" for name, value in of["noise"].items())
    return f"; the noise alone, which no model can predict: {values}"


def _grid(name: str) -> str:
    """Its settings, each option's by itself."""
    grid = FAMILIES[name].grid
    words = []
    for option in grid[0]:
        values = list(dict.fromkeys(options[option] for options in grid))
        words.append(f"{option} {', '.join(map(str, values))}")
    return "; ".join(words)


def document(result: Row) -> str:
    """The whole page."""
    found = list(panels(result))
    of_main = main_panels(result)
    compared = comparisons(of_main)
    parts = [quality_text.INTRODUCTION, head(result), "## In short\n", _in_short(compared)]
    parts += [settings.guidance(of_main), quality_text.FRONTIER]
    for name in dict.fromkeys(panel.name for panel in of_main):
        parts += _set([panel for panel in of_main if panel.name == name])
    parts.append(quality_text.SEGMENTATION)
    by_batch = [
        part
        for name in dict.fromkeys(panel.name for panel in found)
        if len(batches := [panel.batch for panel in found if panel.name == name]) > 1
        for part in _batches(result, name, batches)
    ]
    if by_batch:
        parts += [quality_text.BATCHES, *by_batch]
    parts += ["## Where ours does not win\n", _not_better(compared), _trained(result)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)
