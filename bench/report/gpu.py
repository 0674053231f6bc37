"""The part of docs/benchmarks.md that `make gpu-bench` is for."""

from typing import Any

from bench.report.text import digits, table


def chapter(result: dict[str, Any]) -> str:
    """Of one GPU."""
    kernels = [
        [
            f"{row['n']:,}",
            row["data"],
            *(digits(row[f"{name}_us"]) for name in ("forward", "backward", "both")),
            digits(row["forward_times_floor"]),
            digits(row["backward_times_floor"]),
        ]
        for row in result["kernels"]
    ]
    peers = [
        [
            f"{row['n']:,}",
            row["peer"],
            digits(row["us"]),
            digits(row["times_tailops"]),
            "" if row.get("peak_mib") is None else f"{row['peak_mib']:.1f}",
        ]
        for row in result["peers"]
    ]
    heads = ["elements", "data", "forward, µs", "backward, µs", "both, µs"]
    return (
        f"## {result['gpu']}\n\n- driver: {result['driver']}\n- command: `{result['command']}`, "
        f"{result['date']}\n\n### The kernels\n\n"
        + table([*heads, "forward, × the floor", "backward, × the floor"], kernels)
        + "\n### Loss and gradient from Python\n\n"
        + table(["elements", "", "µs", "× tailops", "peak MiB of the allocator"], peers)
    )
