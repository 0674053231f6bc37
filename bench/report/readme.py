"""The README's blocks of figures, between comments that name them, written from results."""

import re
from typing import Any

from bench.report import quality
from bench.report.speed import OURS, SORT, beaten, ratio
from bench.report.text import digits, milliseconds, multiple, table

Result = dict[str, Any]
SHOWN = (SORT, "tf.sort, XLA", "tf.math.top_k", "NthElement", "torch.kthvalue", "np.partition")


def _row(result: Result, what: str, n: int) -> Result | None:
    usual = ("random", "float32")
    found = (
        row
        for row in result["cases"]
        if row["what"] == what and row["n"] == n and (row["data"], row["dtype"]) == usual
    )
    return next(found, None)


def _cells(row: Result) -> list[str]:
    found = (ratio(row, name) for name in SHOWN)
    others = ["" if value is None else multiple(value) for value in found]
    return [milliseconds(row["who"][OURS]["seconds"]), *others]


def _of_machine(result: Result) -> str:
    machine = result["machine"]
    return f"{machine['cores']} cores, {result['versions']['instruction_set']}"


def _three_numbers(result: Result) -> str:
    kernels = [row for row in result["scaling"] if row["by"] == "n"]
    largest = max(kernels, key=lambda row: row["n"])
    lines = []
    for n in (1_000_000, 10_000_000):
        row = _row(result, "loss and gradient", n)
        if row is not None:
            lines.append(
                f"- Loss and gradient of {n:,} elements take "
                f"{milliseconds(row['who'][OURS]['seconds'])} in a `tf.function`: the loss as "
                f"published, with `tf.sort`, takes **{multiple(ratio(row, SORT) or 0)}** as long."
            )
    losing = list(beaten(result["cases"]))
    lines.append(
        f"- The kernels on {largest['n']:,} elements, one thread: forward "
        f"**{multiple(largest['forward']['times_floor'])}**, backward "
        f"**{multiple(largest['backward']['times_floor'])}** what reading (and writing) them takes."
    )
    lines.append(
        f"- In {len(losing)} of {len(result['cases'])} cases somebody else is faster than the op "
        "in a `tf.function`, above all below some ten thousand elements, where TensorFlow's own "
        "overhead is what takes the time: "
        "[all of them](docs/benchmarks.md#where-tailops-is-not-the-fastest)."
    )
    return "\n".join(lines) + "\n"


def speed(result: Result) -> str:
    """The picture, the numbers, and loss and gradient by size."""
    kind = result["machine"]["kind"]
    rows = (_row(result, "loss and gradient", 10**power) for power in range(2, 8))
    lines = [[f"{row['n']:,}", *_cells(row)] for row in rows if row is not None]
    return (
        f"![Speed-up over tf.sort against n](docs/speed_up-{kind}.png)\n\n"
        f"{_three_numbers(result)}\n"
        f"Loss and gradient, float32, the published settings, {_of_machine(result)}; the others' "
        "time as a multiple of ours:\n\n" + table(["elements", OURS, *SHOWN], lines)
    )


def selection(result: Result) -> str:
    """One element of a row, by size."""
    rows = (_row(result, "selection", 10**power) for power in range(3, 8))
    lines = [[f"{row['n']:,}", *_cells(row)] for row in rows if row is not None]
    return (
        f"The 99th percentile of a row, float32, {_of_machine(result)}; the others' time as a "
        "multiple of ours, all interleaved:\n\n" + table(["elements", OURS, *SHOWN], lines)
    )


def choosing(result: Result) -> str:
    """Every main loss on the first table."""
    fits = quality.Fits(result)
    name = fits.tables[0]
    batch = fits.usual_batch(name)
    about = next(of["about"] for of in result["tables"] if of["name"] == name)
    return (
        f"{about[0].upper()}{about[1:]}; batches of {batch}, {digits(result['seeds'])} seeds, "
        "absolute errors, ± the seeds' standard deviation; changes against MAE, ± 95 %:\n\n"
        + quality.losses_table(fits, name, batch)
    )


def blocks(results: list[Result]) -> dict[str, str]:
    """By name; of the first result that has what a block needs."""
    found: dict[str, str] = {}
    for result in results:
        if "cases" in result and "speed" not in found:
            found |= {"speed": speed(result), "selection": selection(result)}
        if "fits" in result and "choosing" not in found:
            found["choosing"] = choosing(result)
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
            raise ValueError(f"README.md: must have a block <!-- bench: {name} --> … <!-- end -->")
        text = f"{text[: old.end(1)]}{block}{text[old.start(2) :]}"
    return text
