"""`python -m bench.gpu_selection`: the CUDA kernels of selection against a read of x, and peers.

Timed as in bench.gpu. The floor is a plain read of x.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.gpu import (
    FAMILIES,
    ROTATED,
    Action,
    interleaved,
    replayed,
    require_gpu,
    write_rows,
)
from tailops import _kernels, cuda

SHAPES = [
    ((1 << 12,), None),
    ((1 << 17,), None),
    ((1 << 20,), None),
    ((1 << 23,), None),
    ((1 << 26,), None),
    ((1 << 16, 1 << 10), 1),
    ((1 << 10, 1 << 16), 0),
    ((64, 1 << 20), 1),
]
QUANTILES = {"median": [0.5], "p99": [0.99], "three": [0.5, 0.9, 0.99], "hundred": None}
# The largest that torch.quantile takes.
LARGEST = 16_000_000


def inputs(shape: tuple[int, ...], family: str) -> list[torch.Tensor]:
    """As many as do not fit the cache together."""
    n = int(torch.Size(shape).numel())
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    sets = max(1, min(64, -(-ROTATED * cache // (4 * n))))
    return [FAMILIES[family](n).reshape(shape) for _ in range(sets)]


def peers(axis: int | None, q: float) -> dict[str, Any]:
    """One order statistic of each group."""
    along = 0 if axis is None else axis
    return {
        "torch.kthvalue": lambda x: torch.kthvalue(x, 1 + int(q * (x.shape[along] - 1)), along),
        "torch.sort": lambda x: torch.sort(x, along).values.select(
            along, int(q * (x.shape[along] - 1))
        ),
    }


def row(
    shape: tuple[int, ...], axis: int | None, name: str, family: str, rounds: int
) -> dict[str, Any]:
    """Forward, backward, floors and peers, microseconds a call."""
    given = QUANTILES[name]
    q = given if given is not None else [i / 99 for i in range(100)]
    xs = inputs(shape, family)
    n = xs[0].numel()
    value, state = cuda.select_forward(xs[0], q, axis=axis)
    upstream, gradient = torch.ones_like(value), torch.empty_like(xs[0])
    space = torch.zeros(64, device="cuda")
    half = n // 2 * xs[0].element_size()

    def x(i: int) -> torch.Tensor:
        return xs[i % len(xs)]

    def read(i: int) -> None:
        at, stream = x(i).data_ptr(), int(torch.cuda.current_stream().cuda_stream)
        _kernels.cuda_read_two(at, at + half, n // 2, space.data_ptr(), stream)

    actions: dict[str, Action] = {
        "read": read,
        "forward": lambda i: cuda.select_forward(x(i), q, axis=axis),
        "backward": lambda i: cuda.select_backward(upstream, x(i), state, axis=axis, out=gradient),
    }
    calls = max(len(xs), 1 if n >= 1 << 24 else 8)
    graphs = {key: replayed(action, calls) for key, action in actions.items()}
    times = {key: value / calls for key, value in interleaved(graphs, rounds).items()}
    if len(q) == 1:
        others: dict[str, Action] = {
            key: partial(lambda of, i: of(x(i)), of) for key, of in peers(axis, q[0]).items()
        }
        if n <= LARGEST:
            others["torch.quantile"] = lambda i: torch.quantile(x(i), q[0], dim=axis)
        times |= interleaved(others, rounds)
    print(f"{shape!s:>20} {name:<8} {family:<13}", end="")
    print("".join(f"{key:>16} {value:>9.1f}" for key, value in times.items()), flush=True)
    return {"shape": list(shape), "axis": axis, "q": name, "data": family, "us": times}


def rows(rounds: int) -> Iterator[dict[str, Any]]:
    """Every shape and q on random data; every family on the largest."""
    for shape, axis in SHAPES:
        for name in QUANTILES:
            yield row(shape, axis, name, "random", rounds)
    for family in FAMILIES:
        yield row((1 << 26,), None, "median", family, rounds)


def main() -> None:
    """Runs everything of selection."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    require_gpu()
    write_rows((("selection", of) for of in rows(arguments.rounds)), arguments.output)


if __name__ == "__main__":
    main()
