"""`python -m bench.gpu`: the CUDA kernels against floors and against what people write today.

CUDA events, medians, inputs rotated past the level-2 cache. Floors are a plain read of both inputs,
and a read of two and a write of one, timed in the same rounds.
"""

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

try:
    import torch
except ImportError:
    sys.exit("bench.gpu needs PyTorch, for CUDA")

from bench import results
from tailops import _kernels, build_info, cuda
from tailops._options import TailOptions

PERCENTILE, KAPPA, SCALE = 0.99, 100.0, 10.0
OPTIONS = TailOptions(PERCENTILE, KAPPA, SCALE)
# Inputs are rotated until they are so many times what the cache holds.
ROTATED = 4

Action = Callable[[int], Any]


def interleaved(actions: dict[str, Action], rounds: int, inner: int = 1) -> dict[str, float]:
    """Median microseconds of each action, of `inner` calls in a row between two events."""
    for action in actions.values():
        for i in range(3):
            action(i)
    torch.cuda.synchronize()
    times: dict[str, list[float]] = {name: [] for name in actions}
    for r in range(rounds):
        pairs = {}
        for name, action in actions.items():
            begin = torch.cuda.Event(enable_timing=True)
            end = torch.cuda.Event(enable_timing=True)
            begin.record()
            for i in range(inner):
                action(r * inner + i)
            end.record()
            pairs[name] = (begin, end)
        torch.cuda.synchronize()
        for name, (begin, end) in pairs.items():
            times[name].append(1e3 * begin.elapsed_time(end) / inner)
    return {name: statistics.median(values) for name, values in times.items()}


def replayed(action: Action, calls: int) -> Action:
    """So many calls of an action in one CUDA graph: without the gaps between launches."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for i in range(calls):
            action(i)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(calls):
            action(i)
    return lambda _: graph.replay()


def inputs(n: int, make: Callable[[int], torch.Tensor], shape: tuple[int, ...]) -> list[Any]:
    """Pairs of targets and predictions, as many as do not fit the cache together."""
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    sets = max(1, min(64, -(-ROTATED * cache // (8 * n))))
    pairs = []
    for seed in range(sets):
        torch.manual_seed(seed)
        d = make(n).reshape(shape)
        # Quarters, so that residuals stay as the family made them.
        y_true = torch.randint_like(d, 4) / 4
        pairs.append((y_true, y_true + d))
    return pairs


FAMILIES: dict[str, Callable[[int], torch.Tensor]] = {
    "random": lambda n: torch.randn(n, device="cuda"),
    "all equal": lambda n: torch.full((n,), 0.5, device="cuda"),
    "two values": lambda n: torch.randint(1, 3, (n,), device="cuda") / 4,
    "sorted": lambda n: torch.randn(n, device="cuda").abs().sort().values,
    "half zeros": lambda n: torch.relu(torch.randn(n, device="cuda")),
    "one exponent": lambda n: 1 + torch.rand(n, device="cuda"),
}


# Shape and axis.
GROUPS = (
    ((1 << 20, 10), 1),
    ((1 << 16, 1 << 10), 1),
    ((1 << 12, 1 << 14), 1),
    ((64, 1 << 20), 1),
    ((512, 1 << 12), 0),
    ((1 << 12, 1 << 12), 0),
)


def kernel_row(
    n: int,
    name: str,
    pairs: list[Any],
    rounds: int,
    options: TailOptions = OPTIONS,
    reduction: str = "mean",
) -> dict[str, Any]:
    """Forward, backward and both against the floors, per call, launched in a graph."""
    gradient = torch.empty_like(pairs[0][0])
    first: tuple[Any, Any] = pairs[0]
    loss, state = cuda.forward(*first, options, reduction=reduction)
    upstream = torch.ones_like(loss)
    space = torch.zeros(64, device="cuda")
    out = gradient.reshape(-1)

    def pair(i: int) -> tuple[Any, Any]:
        y_true, y_pred = pairs[i % len(pairs)]
        return y_true, y_pred

    def stream() -> int:
        return int(torch.cuda.current_stream().cuda_stream)

    def read(i: int) -> None:
        a, b = pair(i)
        _kernels.cuda_read_two(a.data_ptr(), b.data_ptr(), n, space.data_ptr(), stream())

    def write(i: int) -> None:
        a, b = pair(i)
        _kernels.cuda_read_two_write_one(a.data_ptr(), b.data_ptr(), out.data_ptr(), n, stream())

    def forward(i: int) -> None:
        cuda.forward(*pair(i), options, reduction=reduction)

    def backward(i: int) -> None:
        cuda.backward(upstream, *pair(i), state, options, reduction=reduction, out=gradient)

    def both(i: int) -> None:
        _, own = cuda.forward(*pair(i), options, reduction=reduction)
        cuda.backward(upstream, *pair(i), own, options, reduction=reduction, out=gradient)

    calls = max(len(pairs), 1 if n >= 1 << 24 else 8)
    actions = {"read": read, "write": write, "forward": forward, "backward": backward, "both": both}
    graphs = {key: replayed(action, calls) for key, action in actions.items()}
    times = {key: value / calls for key, value in interleaved(graphs, rounds).items()}
    row = {"n": n, "data": name, **{f"{key}_us": value for key, value in times.items()}}
    row["forward_times_floor"] = times["forward"] / times["read"]
    row["backward_times_floor"] = times["backward"] / times["write"]
    print(
        f"{n:>10}  {name:<34}"
        + "".join(f"{times[key]:>10.2f}" for key in actions)
        + f"{row['forward_times_floor']:>9.2f}{row['backward_times_floor']:>9.2f}",
        flush=True,
    )
    return row


def weighted(e: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """The mean loss of errors and a threshold, as people write it."""
    return (e * (1 + SCALE * 0.5 * (1 + torch.tanh(KAPPA * (e - t))))).mean()


def torch_peers(n: int) -> dict[str, Callable[[torch.Tensor], torch.Tensor]]:
    """The threshold by sort, top-k and k-th value."""
    rank = min(int(n * PERCENTILE), n - 1)
    return {
        "torch.sort": lambda e: torch.sort(e).values[rank],
        "torch.topk": lambda e: torch.topk(e, n - rank).values[-1],
        "torch.kthvalue": lambda e: torch.kthvalue(e, rank + 1).values,
    }


def jax_actions(n: int, pairs: list[Any]) -> Iterator[tuple[str, Action]]:
    """The same with JAX under jit, where it is installed and has a GPU."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    try:
        import jax
        import jax.numpy as jnp

        device = jax.devices("gpu")[0]
    except Exception:  # no JAX, or none for a GPU
        return
    rank = min(int(n * PERCENTILE), n - 1)
    thresholds = {
        "jax sort": lambda e: jnp.sort(e)[rank],
        "jax top_k": lambda e: jax.lax.top_k(e, n - rank)[0][-1],
    }
    arrays = [
        tuple(jax.device_put(array.cpu().numpy(), device) for array in pair) for pair in pairs[:4]
    ]
    for name, threshold in thresholds.items():

        def loss(p: Any, y: Any, threshold: Any = threshold) -> Any:
            e = jnp.abs(p - y)
            return jnp.mean(e * (1 + SCALE * 0.5 * (1 + jnp.tanh(KAPPA * (e - threshold(e))))))

        step = jax.jit(jax.value_and_grad(loss))

        def run(i: int, step: Any = step) -> Any:
            return jax.block_until_ready(step(*arrays[i % len(arrays)][::-1]))

        yield name, run


def peak_mib(action: Action) -> float:
    """What PyTorch's allocator held at most during a call, beyond what it held before."""
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    action(0)
    torch.cuda.synchronize()
    return float(torch.cuda.max_memory_allocated() - before) / 2**20


def peer_rows(n: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Loss and gradient: the kernels and their peers, as Python calls them, back to back."""
    pairs = inputs(n, FAMILIES["random"], (n,))
    upstream = torch.ones((), device="cuda")

    def ours(i: int) -> None:
        y_true, y_pred = pairs[i % len(pairs)]
        _, state = cuda.forward(y_true, y_pred, OPTIONS, reduction="mean")
        cuda.backward(upstream, y_true, y_pred, state, OPTIONS, reduction="mean")

    def peer(threshold: Any) -> Action:
        def step(i: int) -> None:
            y_true, y_pred = pairs[i % len(pairs)]
            p = y_pred.detach().requires_grad_(True)
            e = (p - y_true).abs()
            weighted(e, threshold(e)).backward()

        return step

    actions: dict[str, Action] = {"tailops": ours}
    actions |= {name: peer(threshold) for name, threshold in torch_peers(n).items()}
    times = interleaved(actions, rounds, inner=8 if n <= 1 << 20 else 1)
    peaks = {name: peak_mib(action) for name, action in actions.items()}
    for name, action in jax_actions(n, pairs):
        action(0)
        measured = []
        for i in range(rounds):
            began = time.perf_counter()
            action(i)
            measured.append(1e6 * (time.perf_counter() - began))
        times[name] = statistics.median(measured)
    for name, value in times.items():
        ratio = value / times["tailops"]
        print(f"{n:>10}  {name:<34}{value:>10.1f}{ratio:>9.1f}", flush=True)
        row = {"n": n, "peer": name, "us": value, "times_tailops": ratio}
        yield {**row, "peak_mib": peaks.get(name)}


def run(sizes: list[int], rounds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything, printed as it comes: a table's name, and a row of it."""
    print("\nkernels, float32, microseconds a call in a graph, and times the floor\n")
    names = ("read", "write", "forward", "backward", "both")
    heads = "".join(f"{name:>10}" for name in names)
    print(f"{'n':>10}  {'data':<34}{heads}{'forward':>9}{'backward':>9}")
    for n in sizes:
        for name, make in FAMILIES.items():
            if name == "random" or n >= 1 << 20:
                yield "kernels", kernel_row(n, name, inputs(n, make, (n,)), rounds)
        pairs = inputs(n, FAMILIES["random"], (n,))
        per_element = "random, a loss per element"
        yield "kernels", kernel_row(n, per_element, pairs, rounds, reduction="none")
        wide = TailOptions(PERCENTILE, 1.0, SCALE)
        yield "kernels", kernel_row(n, "random, all near the threshold", pairs, rounds, wide)
        median = TailOptions(0.5, KAPPA, SCALE)
        yield "kernels", kernel_row(n, "random, median", pairs, rounds, median)
    for shape, axis in GROUPS:
        n = shape[0] * shape[1]
        pairs = inputs(n, FAMILIES["random"], shape)
        grouped = TailOptions(PERCENTILE, KAPPA, SCALE, axis=axis)
        what = f"{shape[1 - axis]} {'groups' if axis else 'columns'} of {shape[axis]}"
        yield "kernels", kernel_row(n, what, pairs, rounds, grouped)
    print("\nloss and gradient from Python, microseconds, and times tailops\n")
    for n in sizes:
        for row in peer_rows(n, rounds):
            yield "peers", row


def write_rows(rows: Iterator[tuple[str, dict[str, Any]]], output: Path | None) -> None:
    """Rows of tables as JSON, as they come: the machine may be lent for minutes."""
    properties = torch.cuda.get_device_properties(0)
    result: dict[str, Any] = {
        "format": results.FORMAT,
        "command": "make gpu-bench",
        "date": date.today().isoformat(),
        "gpu": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "driver": _driver(),
        "python": platform.python_version(),
        "versions": {**build_info(), "torch": torch.__version__},
    }
    for table, row in rows:
        result.setdefault(table, []).append(row)
        if output:
            results.write(output, result)


def require_gpu() -> None:
    """Ends the program where there is none to measure."""
    if not cuda.device_count() or not torch.cuda.is_available():
        sys.exit("bench.gpu: no GPU is visible, or tailops or PyTorch is built without CUDA")


def main() -> None:
    """Runs everything of the losses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--powers", type=int, nargs="+", default=[8, 10, 12, 14, 17, 20, 23, 26])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()
    require_gpu()
    sizes = [1 << power for power in arguments.powers]
    write_rows(run(sizes, arguments.rounds), arguments.output)


def _driver() -> str:
    try:
        version = Path("/proc/driver/nvidia/version").read_text()
    except OSError:
        return "unknown"
    return version.splitlines()[0]


if __name__ == "__main__":
    main()
