"""The block of docs/which_tail.md: the segmentation example, measured."""

import statistics
from collections.abc import Iterator
from typing import Any

from bench.hard_pixels import AS_IT_IS, LONGER, TIMES_AS_LONG, WRONG, WRONG_LABELS
from bench.report.text import digits, milliseconds, table

Result = dict[str, Any]
SCORES = {
    "rare IoU": "rare classes' IoU",
    "common IoU": "common classes' IoU",
    "mean IoU": "mean IoU",
    "mean loss": "mean loss",
    "worst 1 %": "worst 1 %'s loss",
}
CALLS = {
    "cross-entropy": "cross-entropy",
    "focal": "focal, γ = 2",
    "OHEM": "`OHEMLoss`, threshold −log 0.7, at least 2,500",
    "CVaR": "`CVaRLoss`, percentile 0.9",
    "average top-k": "`AverageTopKLoss`, fraction 0.2, of each image",
    "tail-weighted": "`TailWeightedLoss`, κ = 5 per nat",
    "trimmed": f"`TrimmedLoss`, fraction {WRONG_LABELS:g}",
}


def _spread(values: list[float]) -> str:
    mean = f"{statistics.fmean(values):.3f}"
    return mean if len(values) < 2 else f"{mean} ± {statistics.stdev(values):.3f}"


def _seeds(result: Result, section: str) -> str:
    most = max(len(row["mean loss"]) for row in result["hard_pixels"] if row["section"] == section)
    return f"{most} seeds" if most > 1 else "1 seed"


def _rows(result: Result, section: str, note: str = "") -> Iterator[list[str]]:
    for row in result["hard_pixels"]:
        if row["section"] == section:
            yield [CALLS[row["loss"]] + note, *(_spread(row[score]) for score in SCORES)]


def _times(result: Result) -> Iterator[list[str]]:
    for name, step in result["steps"].items():
        quartiles = f"{milliseconds(step['low'])} to {milliseconds(step['high'])}"
        cells = milliseconds(step["seconds"]), quartiles, digits(step["times"])
        yield [CALLS[name], *cells]


def block(result: Result) -> str:
    """Both tables of scores, and that of the time of a step."""
    heads = ["loss", *SCORES.values()]
    longer = f", {TIMES_AS_LONG * result['epochs']} epochs, {_seeds(result, LONGER)}"
    usual = [*_rows(result, AS_IT_IS), *_rows(result, LONGER, longer)]
    machine, versions = result["machine"], result["versions"]
    return (
        f"Means ± standard deviations over {_seeds(result, AS_IT_IS)}, each other images, another "
        "start and another order, the same for every loss; IoU is the intersection over union on "
        "held-out images, loss their cross-entropy, and its worst 1 % of the pixels. "
        f"{result['images']} images, batches of {result['batch']}, {result['epochs']} epochs. "
        f"`{result['command']}`, {result['date']}.\n\n"
        f"{table(heads, usual)}\n"
        f"The same with {100 * WRONG_LABELS:g} % of the labels wrong, in training only, on "
        f"{_seeds(result, WRONG)}:\n\n"
        f"{table(heads, _rows(result, WRONG))}\n"
        f"A training step, on {machine['cores']} cores with {versions['instruction_set']}: the "
        "losses take turns, medians and quartiles; the ratio is the median of those in the same "
        "turn.\n\n"
        f"{table(['loss', 'step', 'quartiles', 'to cross-entropy'], _times(result))}"
    )


def blocks(results: list[Result]) -> dict[str, str]:
    """By name; of the first result that is of it."""
    found = [result for result in results if "hard_pixels" in result]
    return {"hard_pixels": block(found[0])} if found else {}
