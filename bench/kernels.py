"""The kernels alone against the floor: reading two arrays, and writing one more.

Rounds are interleaved; every row is the median over rounds, its ratio the median of the ratios to
the floor of the same round.
"""

import statistics
from typing import Any

import numpy as np

from bench.timing import interleaved
from tailops import _kernels, kernels
from tailops._options import TailOptions


def cases(n: int) -> dict[str, tuple[np.ndarray, TailOptions]]:
    """Residuals, against targets of zero, and options."""
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(n, dtype=np.float32)
    options = TailOptions(0.99, 100.0)
    return {
        "random": (normal, options),
        "all equal": (np.full(n, 0.5, np.float32), options),
        "two values": (rng.choice(np.float32([0.25, 0.75]), n), options),
        "sorted": (np.sort(np.abs(normal)), options),
        "half zeros": (np.where(rng.random(n) < 0.5, np.float32(0), normal), options),
        "one exponent": (rng.uniform(1, 2, n).astype(np.float32), options),
        "random, everything in the band": (normal, TailOptions(0.99, 1.0)),
    }


def run(sizes: list[int], rounds: int) -> list[dict[str, Any]]:
    """Times every case on one thread and prints the table."""
    print(f"\nkernels alone, float32, one thread, {_kernels.instruction_set()}\n")
    print(f"{'n':>10}  {'data':<32}{'pass':<10}{'ms':>9}{'GB/s':>8}{'times the floor':>17}")
    rows = []
    for n in sizes:
        for data, (y_pred, options) in cases(n).items():
            y_true, out = np.zeros_like(y_pred), np.empty_like(y_pred)
            upstream = np.ones((), np.float32)
            _, state = kernels.forward(y_true, y_pred, options, reduction="mean")
            times = interleaved(
                {
                    "read": lambda t=y_true, p=y_pred: _kernels.read_two(t, p),
                    "forward": lambda t=y_true, p=y_pred, o=options: kernels.forward(
                        t, p, o, reduction="mean"
                    ),
                    "write": lambda t=y_true, p=y_pred, g=out: _kernels.read_two_write_one(t, p, g),
                    "backward": lambda t=y_true, p=y_pred, o=options, s=state, g=out, u=upstream: (
                        kernels.backward(u, t, p, s, o, reduction="mean", out=g)
                    ),
                },
                rounds,
            )
            for name, floor, elements in (("forward", "read", 2), ("backward", "write", 3)):
                seconds = statistics.median(times[name])
                ratio = statistics.median(
                    a / b for a, b in zip(times[name], times[floor], strict=True)
                )
                speed = elements * y_pred.nbytes / seconds / 1e9
                measured = f"{seconds * 1e3:>9.3g}{speed:>8.3g}{ratio:>17.3g}"
                print(f"{n:>10}  {data:<32}{name:<10}{measured}", flush=True)
                rows.append(
                    {
                        "n": n,
                        "data": data,
                        "pass": name,
                        "seconds": seconds,
                        "bytes": elements * y_pred.nbytes,
                        "floor_seconds": statistics.median(times[floor]),
                        "times_floor": ratio,
                    }
                )
    return rows
