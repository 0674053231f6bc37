"""The part of docs/benchmarks.md that `make gpu-bench` is for."""

from collections.abc import Iterator
from typing import Any

from bench.report.text import digits, table


def chapter(result: dict[str, Any]) -> str:
    """Of one GPU: the tables that the result has."""
    return "\n".join(_parts(result))


def _parts(result: dict[str, Any]) -> Iterator[str]:
    yield (
        f"## {result['gpu']}\n\n- driver: {result['driver']}\n- command: `{result['command']}`, "
        f"{result['date']}\n"
    )
    for name, (title, make) in _TABLES.items():
        if name in result:
            yield f"### {title}\n\n{make(result[name])}"


def _kernels(rows: list[dict[str, Any]]) -> str:
    heads = ["elements", "data", "forward, µs", "backward, µs", "both, µs"]
    return table(
        [*heads, "forward, × the floor", "backward, × the floor"],
        [
            [
                f"{row['n']:,}",
                row["data"],
                *(digits(row[f"{name}_us"]) for name in ("forward", "backward", "both")),
                digits(row["forward_times_floor"]),
                digits(row["backward_times_floor"]),
            ]
            for row in rows
        ],
    )


def _peers(rows: list[dict[str, Any]]) -> str:
    return table(
        ["elements", "", "µs", "× tailops", "peak MiB of the allocator"],
        [
            [
                f"{row['n']:,}",
                row["peer"],
                digits(row["us"]),
                digits(row["times_tailops"]),
                "" if row.get("peak_mib") is None else f"{row['peak_mib']:.1f}",
            ]
            for row in rows
        ],
    )


def _selection(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["us"]))
    return table(
        ["shape", "axis", "q", "data", *(f"{name}, µs" for name in names)],
        [
            [
                " × ".join(f"{size:,}" for size in row["shape"]),
                "" if row["axis"] is None else str(row["axis"]),
                row["q"],
                row["data"],
                *(digits(row["us"][name]) if name in row["us"] else "" for name in names),
            ]
            for row in rows
        ],
    )


_TABLES = {
    "kernels": ("The kernels", _kernels),
    "peers": ("Loss and gradient from Python", _peers),
    "selection": ("Selection", _selection),
}
