"""Selection alone: the median and the 99th percentile of one row, and of many, against its peers.

Two groups, each interleaved: on NumPy arrays (our kernel on one thread, `np.partition`,
`torch.kthvalue` where PyTorch is installed, and the floor, a plain read of the array), and as
TensorFlow ops in a `tf.function` (ours, `NthElement`, `tf.math.top_k`, `tf.sort`). Medians, and
ratios to ours. Every peer must agree with ours before it is timed.
"""

import importlib.util
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from bench.timing import interleaved
from tailops import _kernels, kernels, ops

# Rows of the second table's shapes.
ROW_LENGTHS = (10, 1000)
PERCENTILES = (0.5, 0.99)


class Case(NamedTuple):
    """Rows of numbers and the rank that is wanted of each."""

    name: str
    x: np.ndarray
    rank: int


def cases(n: int) -> Iterator[Case]:
    """One row of n elements, and the same elements in rows."""
    x = np.random.default_rng(0).standard_normal(n, dtype=np.float32)
    for p in PERCENTILES:
        yield Case(f"one row, p{100 * p:g}", x.reshape(1, n), int(n * p))
    for length in ROW_LENGTHS:
        if length < n:
            yield Case(f"rows of {length:,}, p50", x.reshape(-1, length), length // 2)
    yield Case("one row of few values, p50", np.round(x).reshape(1, n), n // 2)
    yield Case("one sorted row, p50", np.sort(x).reshape(1, n), n // 2)


def on_arrays(case: Case) -> dict[str, Callable[[], Any]]:
    """What works on NumPy arrays, and the floor."""
    x, rank = case.x, case.rank
    flat = x.reshape(-1)
    half = flat.size // 2
    ours = partial(kernels.select, x, [rank], method="rank", axis=1)
    actions: dict[str, Callable[[], Any]] = {
        "tailops kernel": lambda: ours()[0],
        "read": lambda: _kernels.read_two(flat[:half], flat[half : 2 * half], 1),
        "np.partition": lambda: np.partition(x, rank, axis=1)[:, rank],
    }
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(1)
        tensor = torch.from_numpy(x)
        actions["torch.kthvalue"] = lambda: torch.kthvalue(tensor, rank + 1, dim=1)[0].numpy()
    return actions


def as_ops(case: Case) -> dict[str, Callable[[], Any]]:
    """TensorFlow ops, each in a function of its own."""
    x, rank = tf.constant(case.x), case.rank
    length = case.x.shape[1]

    def compiled(select: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[], Any]:
        function = tf.function(select)
        return lambda: function(x).numpy()

    return {
        "tailops": compiled(lambda x: ops.nth_element(x, rank)),
        "NthElement": compiled(lambda x: tf.raw_ops.NthElement(input=x, n=rank)),
        "tf.math.top_k": compiled(lambda x: tf.math.top_k(x, length - rank).values[:, -1]),
        "tf.sort": compiled(lambda x: tf.sort(x, axis=-1)[:, rank]),
    }


def measure(case: Case, seconds: float) -> dict[str, float]:
    """Median seconds of everybody."""
    medians = {}
    for actions in (on_arrays(case), as_ops(case)):
        expected = np.sort(case.x, axis=1)[:, case.rank]
        for name, action in actions.items():
            if name != "read":
                np.testing.assert_array_equal(action(), expected)
        times = interleaved(actions, rounds=3, seconds=seconds)
        medians |= {name: statistics.median(values) for name, values in times.items()}
    return medians


def run(sizes: list[int], seconds: float) -> list[dict[str, Any]]:
    """Times every case and prints the table."""
    print("\nselection alone, float32, milliseconds; (times tailops) within each group\n")
    rows = []
    for n in sizes:
        for case in cases(n):
            medians = measure(case, seconds / 4)
            if not rows:
                print(f"{'n':>10}  {'data':<28}" + "".join(f"{name:>22}" for name in medians))
            ours = medians["tailops kernel"]
            cells = []
            for name, value in medians.items():
                ours = medians[name] if name.startswith("tailops") else ours
                cells.append(f"{value * 1e3:.3g} ({value / ours:.3g})")
            print(f"{n:>10}  {case.name:<28}" + "".join(f"{c:>22}" for c in cells), flush=True)
            rows.append({"n": n, "data": case.name, "seconds": medians})
    return rows
