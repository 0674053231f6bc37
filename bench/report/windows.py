"""docs/small_batches.md: how long a train step takes whose loss remembers."""

from typing import Any

from bench.report.speed import ratios
from bench.report.text import head
from bench.train_step import OF_WINDOWS, WHAT

Result = dict[str, Any]


def _of_windows(result: Result) -> list[dict[str, Any]]:
    return [
        row
        for row in result.get("cases", [])
        if row["what"] == WHAT and set(OF_WINDOWS) & set(row["who"])
    ]


def blocks(results: list[Result]) -> dict[str, str]:
    """By name; of the first result that has them."""
    found = [result for result in results if _of_windows(result)]
    if not found:
        return {}
    return {"windows": f"{head(found[0])}\n{ratios(_of_windows(found[0]))}"}
