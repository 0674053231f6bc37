"""Blocks of figures in a page, between comments that name them; the README's, from results."""

import re
from typing import Any

from bench.report import quality as fits_of
from bench.report.speed import OURS, SORT, beaten, is_of_everything, ratio
from bench.report.text import milliseconds, multiple, table

Result = dict[str, Any]
MAE = "Keras MAE"


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
    """What our loss does to tail and mean, and how often ours beat the best ordinary one."""
    fits = fits_of.Fits(result)
    name = fits.tables[0]
    batch = fits.usual_batch(name)
    mae = fits.main(name, fits_of.REFERENCE, batch)
    labels = {
        "PercentileLoss": "`PercentileLoss` with the settings above, κ in 1/error",
        "PercentileLoss, published": "`PercentileLoss`, the defaults",
        "MSE": "MSE",
    }
    rows = {label: fits.main(name, label, batch) for label in labels}
    lines = [
        [labels[label], *(str(fits_of.change(row, mae, of)) for of in ("p99", "mean"))]
        for label, row in rows.items()
        if row is not None and mae is not None
    ]
    found = list(fits_of.verdicts(fits))
    better = [verdict for verdict in found if verdict[4].verdict == "better"]
    return (
        f"Held-out absolute errors on `{name}`, batches of {batch}, against MAE's, ± 95 %:\n\n"
        f"{table(['', 'p99', 'mean'], lines)}\n"
        f"In {len(better)} of {len(found)} combinations of a table, a batch size and one of our "
        "losses, p99 is below that of the best of MAE, MSE and Huber by more than the seeds' "
        "spread explains: [the others](docs/quality.md#where-it-does-not-help).\n"
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
