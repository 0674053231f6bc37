"""`python -m bench.gpu_counts`: what a profiler would say of the CUDA kernels without a clock.

Runs on the virtual GPU: `make virtual-gpu-counts`. Bytes moved are sectors of 32 bytes times the
requests that touch them, as if there were no cache; the floor reads each input once and writes a
gradient once.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SECTOR = 32
# What the machine runs in about a minute.
MOST = 1 << 22


class Shape(NamedTuple):
    """Of a call; groups along the axis, or one of everything."""

    what: str
    shape: tuple[int, ...]
    axis: int | None


SHAPES = [
    Shape("one group", (1 << 12,), None),
    Shape("one group", (1 << 20,), None),
    Shape("one group", (1 << 26,), None),
    Shape("rows of 16", (1 << 14, 16), 1),
    Shape("rows of 100", (4096, 100), 1),
    Shape("rows of 1,024", (1 << 16, 1024), 1),
    Shape("few long rows", (8, 60_000), 1),
    Shape("columns", (512, 1000), 0),
    Shape("long columns", (6000, 64), 0),
    Shape("few large columns", (100_000, 3), 0),
]


def scaled(of: Shape, most: int) -> Shape:
    """With a shorter first axis, if it has more elements."""
    rest = int(np.prod(of.shape[1:]))
    return of._replace(shape=(min(of.shape[0], max(1, most // rest)), *of.shape[1:]))


class Row(NamedTuple):
    """Of a call, per element where nothing else is said."""

    launches: int
    instructions: float  # of threads
    issued: float  # of warps, times 32: the difference is what divergence costs
    moved: float  # bytes
    sectors: float  # of those that the bytes asked for need at least, how many times
    passes: float  # over shared memory, likewise


def row_of(launches: list[dict[str, Any]], elements: int) -> Row:
    """Of all the launches of a call."""

    def total(kinds: tuple[str, ...], key: str) -> int:
        return sum(int(launch[kind][key]) for launch in launches for kind in kinds)

    memory = ("loads", "stores", "atomics")
    return Row(
        len(launches),
        sum(int(launch["thread_instructions"]) for launch in launches) / elements,
        32 * sum(int(launch["warp_instructions"]) for launch in launches) / elements,
        SECTOR * total((*memory, "local"), "transactions") / elements,
        total(memory, "transactions") / max(1, total(memory, "fewest")),
        total(("shared",), "transactions") / max(1, total(("shared",), "fewest")),
    )


def calls(of: Shape, dtype: str) -> dict[str, tuple[Callable[[], object], int]]:
    """Functions that make one call each, and how many bytes of each element it must move."""
    import arrays

    from tailops import cuda
    from tailops._options import TailOptions

    y_pred = np.random.default_rng(0).standard_normal(of.shape).astype(dtype)
    p = arrays.to_device(y_pred)
    t = arrays.to_device(np.zeros_like(y_pred))
    options = TailOptions(axis=of.axis)
    state = cuda.forward(t, p, options, reduction="mean").state
    upstream = arrays.ones((), dtype)
    value, selected = cuda.select_forward(p, [0.5], axis=of.axis)
    middle = (0.1, 0.9)
    mean, averaged = cuda.range_mean_forward(p, middle, "between", of.axis)
    valid = arrays.to_device(np.random.default_rng(1).random(of.shape) < 0.8)
    size = y_pred.itemsize
    return {
        "loss": (lambda: cuda.forward(t, p, options, reduction="mean"), 2 * size),
        "gradient": (
            lambda: cuda.backward(upstream, t, p, state, options, reduction="mean"),
            3 * size,
        ),
        "median": (lambda: cuda.select_forward(p, [0.5], axis=of.axis), size),
        "its gradient": (lambda: cuda.select_backward(value, p, selected, axis=of.axis), 2 * size),
        "mean of the middle": (lambda: cuda.range_mean(p, middle, "between", of.axis), size),
        "mean of the largest": (lambda: cuda.range_mean(p, (0.9, 1.0), "between", of.axis), size),
        "of the valid": (
            lambda: cuda.range_mean(p, (0.9, 1.0), "between", of.axis, valid),
            size + 1,
        ),
        "mean's gradient": (lambda: cuda.range_mean_backward(mean, p, averaged, of.axis), 2 * size),
    }


def steps(of: Shape, y_pred: Any) -> dict[str, tuple[Callable[[], object], int]]:
    """Those of a share of a union, without what is added up between them."""
    from unions import Union, address, garbage

    from tailops import _kernels
    from tailops._options import TailOptions

    options = TailOptions(axis=of.axis)
    union = Union(np.zeros_like(y_pred), y_pred, None, options, ())
    search = union.searched(_kernels.union_targets(options.for_kernels()), union.one.descend)
    state = garbage((union.groups, _kernels.STATE_COLUMNS), "float64")
    union.one.states(address(search), address(state))
    share = union.shares[0]
    loss, gradient, upstream = (garbage(share.shape, share.dtype) for _ in range(3))
    slopes = garbage((union.groups, _kernels.SLOPE_COLUMNS), "float64")
    space, size = address(share.workspace), y_pred.itemsize
    found: dict[str, tuple[Callable[[], object], int]] = {}
    for number, (round_, before) in enumerate(union.rounds):
        counts = garbage((union.groups, round_.columns), "int64")

        def count(round_: Any = round_, before: Any = before, counts: Any = counts) -> None:
            share.kernels.histogram(round_, address(before), address(counts))

        found[f"of a share: round {number + 1}"] = (count, 2 * size)
    found["of a share: losses"] = (
        lambda: share.kernels.losses(address(state), address(loss)),
        3 * size,
    )
    found["of a share: slopes"] = (
        lambda: share.kernels.slopes(address(upstream), address(state), address(slopes), space),
        2 * size,
    )
    found["of a share: gradient"] = (
        lambda: share.kernels.gradient(
            address(upstream), address(state), address(slopes), address(gradient), space
        ),
        4 * size,
    )
    return found


def main() -> None:
    """Prints a line per shape and call, and then the lines that move most over what they need."""
    import virtual_gpu

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=MOST, help="elements; larger shapes are scaled")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--multiprocessors", type=int, default=132)
    arguments = parser.parse_args()
    if not virtual_gpu.is_here():
        sys.exit("this runs on the virtual GPU: make virtual-gpu-counts")
    virtual_gpu.change(
        races=0, initialisation=0, slice=10_000, multiprocessors=arguments.multiprocessors
    )
    print("| shape | call | launches | instructions | issued | bytes | floor | sectors | passes |")
    print("|---|---|---|---|---|---|---|---|---|")
    done = set()
    for wanted in SHAPES:
        of = scaled(wanted, arguments.most)
        if of in done:
            continue
        done.add(of)
        size = " × ".join(f"{n:,}" for n in of.shape)
        name = f"{of.what}, {size}" + ("" if of == wanted else " (scaled down)")
        of_shape = calls(of, arguments.dtype)
        if of.axis != 1:  # in which no replicas share a group
            y_pred = np.random.default_rng(0).standard_normal(of.shape).astype(arguments.dtype)
            of_shape |= steps(of, y_pred)
        for what, (call, floor) in of_shape.items():
            virtual_gpu.take_counts()
            with virtual_gpu.settings(count=1):
                call()
                launches = virtual_gpu.finished_counts()
            row = row_of(launches, int(np.prod(of.shape)))
            numbers = f"{row.launches} | {row.instructions:.0f} | {row.issued:.0f}"
            moved = f"{row.moved:.1f} | {floor} | {row.sectors:.2f} | {row.passes:.2f}"
            print(f"| {name} | {what} | {numbers} | {moved} |", flush=True)


if __name__ == "__main__":
    main()
