"""docs/which_tail.md: how fast the mean of the largest values is, and against whom."""

from typing import Any

from bench.report.speed import ratios
from bench.report.text import head
from bench.tails import FORWARD, GRADIENT

Result = dict[str, Any]


def block(result: Result) -> str:
    """A table of the mean alone, and one with its gradient."""
    parts = [head(result)]
    for what in (FORWARD, GRADIENT):
        rows = [row for row in result["cases"] if row["what"] == what]
        parts.append(f"{what[0].upper()}{what[1:]}:\n\n{ratios(rows)}")
    return "\n".join(parts)


def blocks(results: list[Result]) -> dict[str, str]:
    """By name; of the first result that has them."""
    found = [r for r in results if any(row["what"] == GRADIENT for row in r.get("cases", []))]
    return {"tails": block(found[0])} if found else {}
