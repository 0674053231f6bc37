"""What got worse against an earlier run: by the ratio to the floor, so that machines may differ."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

from bench import results

TOLERATED = 1.15
# Below it is the call that is measured, against a floor of nanoseconds.
SMALLEST = 100_000
OURS = "tailops"

Key = tuple[Any, ...]


def _ratios(result: results.Result) -> Iterator[tuple[Key, float]]:
    for row in result["cases"]:
        if row["n"] >= SMALLEST:
            case = tuple(row[key] for key in ("what", "n", "data", "dtype", "shape"))
            for who, of in row["who"].items():
                if who.startswith(OURS):
                    yield (*case, who), of["times_floor"]
    for row in result["kernels"]:
        yield ("kernels", row["n"], row["data"], row["pass"]), row["times_floor"]


def worse(old: results.Result, new: results.Result) -> list[str]:
    """A line for each of ours whose ratio to the floor grew by over 15 %.

    Raises:
        ValueError: The results are of machines of different kinds.
    """
    kinds = (old["machine"]["kind"], new["machine"]["kind"])
    if kinds[0] != kinds[1]:
        raise ValueError(f"machine kind {kinds[1]}: must be that of the other run, {kinds[0]}")
    before = dict(_ratios(old))
    return [
        f"{' | '.join(map(str, key))}: {before[key]:.3g} -> {now:.3g} times the floor "
        f"(+{100 * (now / before[key] - 1):.0f} %)"
        for key, now in _ratios(new)
        if key in before and now > TOLERATED * before[key]
    ]


def against(kind: str) -> results.Result:
    """The last committed result of this machine kind.

    Raises:
        ValueError: There is none.
    """
    path = results.FOLDER / f"{kind}.json"
    name = f"HEAD:./{path.name}"
    git = subprocess.run(
        ["git", "show", name], cwd=results.FOLDER, capture_output=True, text=True, check=False
    )
    if git.returncode:
        raise ValueError(f"{path}: must be committed, to compare with: {git.stderr.strip()}")
    result: results.Result = json.loads(git.stdout)
    if result.get("format") != results.FORMAT:
        raise ValueError(f"{path}: format must be {results.FORMAT}; commit a newer run")
    return result
