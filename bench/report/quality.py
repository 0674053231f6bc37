"""docs/quality.md: does it help, with which settings, and what does it cost."""

import math
import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.report.text import digits, head, percent, table

STATISTICS = ("mean", "p50", "p90", "p99", "max")
REFERENCE = "MAE"
ORDINARY = ("MAE", "MSE", "Huber")
THEIRS = (*ORDINARY, "quantile-weighted")
# Of Student's t, two-sided 95 %, by degrees of freedom.
STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}
QUESTIONS = {
    "percentile": "Which percentile?",
    "smoothing_factor": "Which smoothing factor?",
    "error_scale": "Which error scale?",
    "gradient": "Which gradient?",
    "error": "Absolute or squared error?",
    "squared": "Squared error: which error scale?",
    "beta": "HybridPercentileLoss: which beta?",
    "fraction": "MaxFractionLoss: which fraction?",
    "the largest errors alone": "Would the mean of the largest errors alone do?",
}

INTRODUCTION = """# Does it help?

Made by `make quality` and `python -m bench report` from
[bench/results](../bench/results/quality.json); nothing is typed by hand.
"""
IN_SHORT = """## In short

Against the best of MAE, MSE and Huber at *its* best batch size; p99 is the 99th percentile of the
absolute error on held-out rows. "No difference shown": what the seeds' spread explains.
"""
PICTURE = """![Tail and mean against MAE](quality.png)

*Below 0 on the vertical axis: a better tail than MAE's; to the right of 0: a worse mean. Bars: the
95 % interval of the mean over the seeds. Second row: the first table, one option at a time.*
"""
LOSSES = """## Losses and batch sizes

Mean ± standard deviation over the seeds, in the target's own unit. Changes against MAE at the same
batch size are means over the seeds, seed by seed, ± 95 %.
"""
BATCHES = """p99 of PercentileLoss against MAE at the same batch size; in brackets how many of a
batch's errors are at the percentile or beyond.
"""

Row = dict[str, Any]


class Change(NamedTuple):
    """Relative to another loss trained from the same seeds: the mean, and 95 % around it."""

    mean: float
    half: float

    @property
    def verdict(self) -> str:
        """What five seeds show."""
        if self.mean + self.half < 0:
            return "better"
        return "worse" if self.mean - self.half > 0 else "no difference shown"

    def __str__(self) -> str:
        return f"{percent(self.mean)} ± {100 * self.half:.1f}"


def change(row: Row, other: Row, statistic: str) -> Change:
    """Of the ratios, seed by seed."""
    ratios = [a / b - 1 for a, b in zip(row[statistic], other[statistic], strict=True)]
    if len(ratios) < 2:
        return Change(ratios[0], math.inf)
    student = STUDENT.get(len(ratios) - 1, 2.0)
    return Change(
        statistics.fmean(ratios), student * statistics.stdev(ratios) / math.sqrt(len(ratios))
    )


class Fits:
    """The rows of a result."""

    def __init__(self, result: Row) -> None:
        self.rows: list[Row] = result["fits"]
        self.tables = [of["name"] for of in result["tables"] if self.of(of["name"])]

    def of(self, name: str, section: str | None = None, batch: int | None = None) -> list[Row]:
        """Those of a table, a section, a batch size."""
        return [
            row
            for row in self.rows
            if row["table"] == name
            and section in (None, row["section"])
            and batch in (None, row["batch"])
        ]

    def batches(self, name: str, section: str = "losses") -> list[int]:
        """Of a table, ascending."""
        return sorted({row["batch"] for row in self.of(name, section)})

    def main(self, name: str, label: str, batch: int) -> Row | None:
        """One of the main losses."""
        found = (row for row in self.of(name, "losses", batch) if row["label"] == label)
        return next(found, None)

    def best_ordinary(self, name: str, batch: int) -> Row | None:
        """The one with the lowest p99."""
        rows = [row for row in self.of(name, "losses", batch) if row["label"] in ORDINARY]
        return min(rows, key=lambda row: statistics.fmean(row["p99"]), default=None)

    def usual_batch(self, name: str) -> int:
        """At which options are changed one at a time; else the one nearest to it."""
        swept = self.batches(name, "percentile")
        return swept[0] if swept else min(self.batches(name), key=lambda b: abs(b - 512))


def _spread(values: list[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{digits(statistics.fmean(values), 4)} ± {digits(deviation, 2)}"


def losses_table(fits: Fits, name: str, batch: int) -> str:
    """Every main loss: its errors, and its p99 and mean against MAE's."""
    reference = fits.main(name, REFERENCE, batch)
    lines = []
    for row in fits.of(name, "losses", batch):
        against = ["", ""]
        if reference is not None and row is not reference:
            against = [str(change(row, reference, which)) for which in ("p99", "mean")]
        lines.append([row["label"], *(_spread(row[s]) for s in STATISTICS), *against])
    return table(["loss", *STATISTICS, "p99 against MAE", "mean against MAE"], lines)


def _answer(rows: list[Row], reference: Row) -> str:
    best = min(rows, key=lambda row: statistics.fmean(row["p99"]))
    alike = [
        row["label"]
        for row in rows
        if row is not best and change(row, best, "p99").verdict != "worse"
    ]
    text = (
        f"The lowest p99 is with **{best['label']}**: {change(best, reference, 'p99')} against "
        f"MAE, the mean {change(best, reference, 'mean')}."
    )
    if alike:
        text += f" No worse, as far as {len(best['p99'])} seeds show: {', '.join(alike)}."
    return text


def _sweep(fits: Fits, name: str, section: str, deviation: float) -> Iterator[str]:
    batch = fits.usual_batch(name)
    rows = fits.of(name, section, batch)
    reference = fits.main(name, REFERENCE, batch)
    if len(rows) < 2 or reference is None:
        return
    yield f"{name}, batches of {batch}. {_answer(rows, reference)}\n"
    median = statistics.fmean(reference["p50"])
    heads, lines = [section, *STATISTICS, "p99 against MAE", "mean against MAE"], []
    if section == "smoothing_factor":
        heads.insert(1, "1/κ in median errors")
    for row in rows:
        cells = [row["label"]]
        if section == "smoothing_factor":
            cells.append(digits(deviation / float(row["label"]) / median, 2))
        cells += [_spread(row[s]) for s in STATISTICS]
        cells += [str(change(row, reference, which)) for which in ("p99", "mean")]
        lines.append(cells)
    yield table(heads, lines)


def _batches(fits: Fits, name: str) -> str:
    section = "percentile and batch"
    batches = fits.batches(name, section)
    labels = list(dict.fromkeys(row["label"] for row in fits.of(name, section)))
    lines = []
    for batch in batches:
        reference = fits.main(name, REFERENCE, batch)
        cells = [str(batch)]
        for label in labels:
            rows = [row for row in fits.of(name, section, batch) if row["label"] == label]
            if not rows or reference is None:
                cells.append("")
                continue
            beyond = batch - min(int(batch * float(label)), batch - 1)
            cells.append(f"{change(rows[0], reference, 'p99')} ({beyond})")
        lines.append(cells)
    heads = ["batch", *(f"percentile {label}" for label in labels)]
    return table(heads, lines) if lines else ""


def _by_batch(fits: Fits, name: str, statistic: str) -> str:
    batches = fits.batches(name)
    labels = list(dict.fromkeys(row["label"] for row in fits.of(name, "losses")))
    lines = []
    for label in labels:
        cells = [label]
        for batch in batches:
            row, reference = fits.main(name, label, batch), fits.main(name, REFERENCE, batch)
            cells.append("" if not row or not reference else str(change(row, reference, statistic)))
        lines.append(cells)
    return table([f"{statistic} against MAE", *(str(batch) for batch in batches)], lines)


def verdicts(fits: Fits) -> Iterator[tuple[str, int, str, str, Change, Change]]:
    """Table, batch, our loss, the best ordinary one, and the changes of p99 and mean against it."""
    for name in fits.tables:
        for batch in fits.batches(name):
            best = fits.best_ordinary(name, batch)
            if best is None:
                continue
            for row in fits.of(name, "losses", batch):
                if row["label"] not in THEIRS:
                    changes = (change(row, best, "p99"), change(row, best, "mean"))
                    yield name, batch, row["label"], best["label"], *changes


def _not_helping(fits: Fits) -> str:
    found = list(verdicts(fits))
    not_better = [verdict for verdict in found if verdict[4].verdict != "better"]
    lines = [
        [name, str(batch), label, best, str(tail), str(mean), tail.verdict]
        for name, batch, label, best, tail, mean in not_better
    ]
    text = (
        f"Of {len(found)} combinations of a table, a batch size and one of our losses, "
        f"{len(found) - len(not_better)} have a p99 below that of the best of MAE, MSE and Huber "
        "at the same batch size, by more than the seeds' spread explains. The others:\n\n"
    )
    heads = ["table", "batch", "loss", "best ordinary", "p99", "mean", "p99 is"]
    return text + (table(heads, lines) if lines else "")


def _in_short(fits: Fits) -> Iterator[str]:
    for name in fits.tables:
        rows = [row for row in fits.of(name, "losses") if row["label"] not in THEIRS]
        ordinary = [row for row in fits.of(name, "losses") if row["label"] in ORDINARY]
        if not rows or not ordinary:
            continue
        ours, best = (min(of, key=lambda r: statistics.fmean(r["p99"])) for of in (rows, ordinary))
        tail = change(ours, best, "p99")
        yield (
            f"- **{name}**: the lowest p99 of ours, {ours['label']} with batches of "
            f"{ours['batch']}, is {tail} against that of the ordinary losses, {best['label']} with "
            f"batches of {best['batch']} ({tail.verdict}); the mean {change(ours, best, 'mean')}, "
            f"the largest error {change(ours, best, 'max')}."
        )


def _answers(fits: Fits) -> Iterator[str]:
    """A line for each question, from the first table on which an option was varied."""
    for section, question in QUESTIONS.items():
        for name in fits.tables:
            batch = fits.usual_batch(name)
            rows, reference = fits.of(name, section, batch), fits.main(name, REFERENCE, batch)
            if len(rows) > 1 and reference is not None:
                yield f"- {question} ({name}) {_answer(rows, reference)}"
                break


def _times(result: Row) -> Iterator[str]:
    for row in result["epoch_seconds"]:
        reference = row["seconds"][REFERENCE]
        lines = [
            [
                label,
                digits(of["seconds"] * 1e3),
                f"{digits(of['low'] * 1e3)} – {digits(of['high'] * 1e3)}",
                f"{digits(of['seconds'] / reference['seconds'], 2)} ×",
            ]
            for label, of in row["seconds"].items()
        ]
        yield f"{row['table']}, batches of {row['batch']}:\n"
        yield table(["loss", "ms per epoch", "quartiles", "against MAE"], lines)


def document(result: Row) -> str:
    """The whole page."""
    fits = Fits(result)
    parts = [
        INTRODUCTION + "\n" + head(result),
        IN_SHORT,
        "\n".join([*_in_short(fits), *_answers(fits)]) + "\n",
        PICTURE,
        _how(result, fits),
        LOSSES,
    ]
    for name in fits.tables:
        batch = fits.usual_batch(name)
        parts += [f"### {name}, batches of {batch}\n", losses_table(fits, name, batch)]
        noise = next((of.get("noise") for of in result["tables"] if of["name"] == name), None)
        if noise:
            found = ", ".join(f"{key} {digits(value, 4)}" for key, value in noise.items())
            parts.append(f"The noise alone, which no model can predict: {found}.\n")
        if len(fits.batches(name)) > 1:
            parts += [_by_batch(fits, name, "p99"), _by_batch(fits, name, "mean")]
    deviations = {of["name"]: of["standard_deviation"] for of in result["tables"]}
    for section, question in QUESTIONS.items():
        answers = [
            part for name in fits.tables for part in _sweep(fits, name, section, deviations[name])
        ]
        parts += [f"## {question}\n", *answers] if answers else []
    for name in fits.tables:
        found = _batches(fits, name)
        if found:
            parts += [
                "## What batch size is too small?\n",
                f"{name}: {BATCHES}",
                found,
            ]
    parts += ["## Where it does not help\n", _not_helping(fits)]
    times = list(_times(result))
    parts += ["## Time\n", *times] if times else []
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _how(result: Row, fits: Fits) -> str:
    lines = [
        f"- **{of['name']}**: {of['about']}" for of in result["tables"] if of["name"] in fits.tables
    ]
    grid = []
    for name in fits.tables:
        epochs = {row["batch"]: row["epochs"] for row in fits.of(name)}
        of = ", ".join(f"{batch} ({epochs[batch]})" for batch in sorted(epochs))
        grid.append(f"- {name}: {of}")
    return (
        "## What was trained\n\n"
        + "\n".join(lines)
        + f"\n\nTwo hidden layers of 64, ReLU; Keras's Adam, a first rate of 10⁻³·√(batch/128) and "
        f"cosine decay to 0; no early stopping; features and target divided by their standard "
        f"deviation, which is the unit of κ; {result['seeds']} seeds, each another split, another "
        "start and another order, the same for every loss. Batch sizes, and in brackets epochs, of "
        "which small tables and large batches have more:\n\n"
        + "\n".join(grid)
        + "\n\nOurs, where nothing else is said: percentile 0.95, κ = 5, s = 20 (squared: 10; "
        'MaxFractionLoss: fraction 0.5; hybrid: β = 0.5), `gradient="fixed_weight"`; these were '
        "found on California housing before, so that table flatters them. *Published*: the "
        "defaults. *quantile-weighted*: ours with a hard step, in TensorFlow's own ops: `tf.sort`, "
        "weight 1 + s from the percentile on. Time per epoch is measured by itself, interleaved.\n"
    )
