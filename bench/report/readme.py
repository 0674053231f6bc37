"""Blocks of figures in a page, between comments that name them; the README's, from results."""

import re
from typing import Any

from bench.report import frontier, settings
from bench.report import quality as frontiers
from bench.report.speed import OURS, SORT, beaten, is_of_everything, ratio
from bench.report.text import milliseconds, multiple, percent, table

Result = dict[str, Any]
MAE = "Keras MAE"
# Of those in the document.
README_COSTS = (0.05, 0.1)


def _row(result: Result, what: str, n: int) -> Result | None:
    usual = ("random", "float32")
    found = (
        row
        for row in result["cases"]
        if row["what"] == what and row["n"] == n and (row["data"], row["dtype"]) == usual
    )
    return next(found, None)


def _of_machine(result: Result) -> str:
    machine = result["machine"]
    return f"{machine['cores']} cores with {result['versions']['instruction_set']}"


def _loss_and_gradient(result: Result, n: int) -> str:
    row = _row(result, "loss and gradient", n)
    if row is None:
        return ""
    ours, theirs = row["who"][OURS]["seconds"], ratio(row, SORT) or 0
    return (
        f"{n:,} elements: {milliseconds(ours)}, and **{multiple(theirs)}** as long with `tf.sort`. "
    )


def _train_step(result: Result, n: int) -> str:
    row = _row(result, "Keras train step", n)
    of_mae = None if row is None else ratio(row, MAE)
    if of_mae is None:
        return ""
    return f"A whole Keras train step on {n:,} rows takes {multiple(of_mae)} as long with MAE. "


def speed(result: Result) -> str:
    """What it takes where it is felt, where it is not, and how often somebody else is faster."""
    losing, cases = list(beaten(result["cases"])), result["cases"]
    return (
        "Loss and gradient in a `tf.function`, float32, with the defaults, on "
        f"{_of_machine(result)}. "
        + "".join(_loss_and_gradient(result, n) for n in (1_000_000, 10_000))
        + _train_step(result, 512)
        + f"In {len(losing)} of {len(cases)} cases somebody else is faster, above all below some "
        "ten thousand elements, where TensorFlow's own overhead is what takes the time: "
        "[all of them](docs/benchmarks.md#where-tailops-is-not-the-fastest).\n"
    )


def quality(result: Result) -> str:
    """The tail at equal cost in the mean, on the first two sets; and what to set for which cost."""
    found = frontier.main_panels(result)
    names = list(dict.fromkeys(panel.name for panel in found))[:2]
    lines = []
    for panel in found:
        if panel.name in names:
            for cost in README_COSTS:
                one = frontier.compare(panel, frontier.TAILS[0], cost)
                changes = (str(of) for of in (one.l_q, one.other, one.ours))
                lines.append([frontiers.at(panel), percent(cost), *changes])
    heads = ["", "at a cost of", "L_q", "the best other", "ours"]
    return (
        "p99 of held-out absolute errors at equal cost in the mean, both against MAE's at the same "
        f"batch size, ± 95 %:\n\n{table(heads, lines)}\n"
        "*L_q*: the mean of |d|^q, q from 1.25 to 4. *The best other*: of Huber, log-cosh, CVaR "
        "(average top-k) and a hard step. "
        f"[All sets, and where ours does not win](docs/quality.md).\n\n{settings.advised(found)}"
    )


def blocks(results: list[Result]) -> dict[str, str]:
    """By name; of the first result that has what a block needs."""
    found: dict[str, str] = {}
    for result in results:
        if is_of_everything(result) and "speed" not in found:
            found["speed"] = speed(result)
        if "fits" in result and "quality" not in found:
            found["quality"] = quality(result)
    return found


def with_blocks(text: str, found: dict[str, str]) -> str:
    """The page with these blocks; the others stay.

    Raises:
        ValueError: The page has no such block.
    """
    for name, block in found.items():
        comments = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        old = comments.search(text)
        if old is None:
            raise ValueError(f"page: must have a block <!-- bench: {name} --> … <!-- end -->")
        text = f"{text[: old.end(1)]}{block}{text[old.start(2) :]}"
    return text
