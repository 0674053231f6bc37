"""What `synchronized=True` costs: a replica's own work, and its collectives, apart.

    python -m bench.replicas [--output FILE]

One process first: forward and gradient of a loss with the steps of a union, between which nothing
is added up, and of the fused op, interleaved. Then so many processes on loopback, each with as many
elements: a step of the unsynchronized loss, of the synchronized one, and its collectives alone,
beside what two processes' time says of more: a ring makes 2(R − 1) steps of R processes, and it is
steps that take the time, not bytes. Processes share this machine's cores: what grows with their
number is their work as well.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from examples.two_workers import environments

ELEMENTS = 2**20
# Of a step with one threshold, float32: docs/several_devices.md.
COUNTS = (2049, 2048, 1024)


def seconds(trials: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The median of each, one after the other in every round."""
    taken: dict[str, list[float]] = {name: [] for name in trials}
    for number in range(rounds + 3):
        for name, trial in trials.items():
            began = time.perf_counter()
            trial()
            if number >= 3:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in taken.items()}


def _step(loss: Callable[[Any], Any], values: Any) -> Callable[[], Any]:
    import tensorflow as tf

    @tf.function
    def step(values: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            total = tf.reduce_sum(loss(values))
        return tape.gradient(total, values)

    return lambda: step(values).numpy()


def alone(rounds: int) -> dict[str, float]:
    """A replica's work without others."""
    import tensorflow as tf

    from tailops._options import TailOptions
    from tailops._reductions import reduced
    from tailops._tensorflow import tensors, union
    from tailops.ops import tail_loss

    values = tf.constant(np.abs(np.random.default_rng(0).standard_normal(ELEMENTS)), tf.float32)
    targets = tf.zeros_like(values)
    trials = {}

    def fused(options: TailOptions, reduction: str) -> Callable[[Any], Any]:
        return lambda v: tail_loss(targets, v, options, reduction=reduction)

    def steps(options: TailOptions, reduction: str) -> Callable[[Any], Any]:
        def loss(v: Any) -> Any:
            losses = union.tail_loss(targets, v, options, all_reduce=lambda x: x)
            return reduced(tensors, losses, None, reduction)

        return loss

    for gradient in ("fixed_weight", "exact"):
        for reduction in ("none", "mean"):
            options = TailOptions(0.95, 5.0, 20.0, gradient=gradient)
            name = f"{gradient}, {reduction}"
            trials[f"unsynchronized, {name}"] = _step(fused(options, reduction), values)
            trials[f"synchronized, {name}"] = _step(steps(options, reduction), values)
    return seconds(trials, rounds)


def worker(rounds: int) -> dict[str, float]:
    """The same in one of several processes, and the collectives alone."""
    import tensorflow as tf

    from tailops.losses import TailWeightedLoss

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    rng = np.random.default_rng(index)
    values = tf.constant(np.abs(rng.standard_normal((ELEMENTS, 1))), tf.float32)
    targets = tf.zeros_like(values)

    def step(synchronized: bool) -> Callable[[], Any]:
        loss = TailWeightedLoss("mae", 0.95, reduction="none", synchronized=synchronized)

        def of_replica(v: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(v)
                total = tf.reduce_sum(loss(targets, v))
            return tape.gradient(total, v)

        run = tf.function(lambda v: strategy.run(of_replica, (v,)))
        return lambda: run(values).numpy()

    def collectives() -> Any:
        replica = tf.distribute.get_replica_context()
        last: Any = 0
        for count in COUNTS:
            given = tf.zeros(count, tf.int64) + tf.cast(last, tf.int64)
            last = replica.all_reduce(tf.distribute.ReduceOp.SUM, given)[0]
        return last

    together = tf.function(lambda: strategy.run(collectives))
    trials = {
        "unsynchronized": step(False),
        "synchronized": step(True),
        "collectives": lambda: together().numpy(),
    }
    return seconds(trials, rounds)


def processes(count: int, rounds: int) -> dict[str, float]:
    """What the first of so many has measured."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "seconds.json"
        started = []
        for index, environment in enumerate(environments(count)):
            command = [sys.executable, "-m", "bench.replicas", "--rounds", str(rounds)]
            command += ["--worker", str(out if index == 0 else os.devnull)]
            started.append(subprocess.Popen(command, env=environment))
        codes = [process.wait() for process in started]
        if any(codes):
            raise RuntimeError(f"workers ended with {codes}")
        found: dict[str, float] = json.loads(out.read_text())
        return found


def main() -> None:
    """Measures, and prints and writes milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--output", type=Path)
    parser.add_argument("--worker", type=Path, help="of a process: where its seconds go")
    arguments = parser.parse_args()
    if arguments.worker:
        arguments.worker.write_text(json.dumps(worker(arguments.rounds)))
        return
    found = {"alone": alone(arguments.rounds)}
    of_two = None
    for count in arguments.processes:
        times = processes(count, arguments.rounds)
        of_two = times["collectives"] if count == 2 else of_two
        if of_two is not None and count > 2:
            times["collectives of a ring"] = of_two * (count - 1)
        found[f"{count} processes"] = times
    for case, times in found.items():
        for name, time_taken in times.items():
            print(f"{case:12} {name:30} {1e3 * time_taken:8.3f} ms")
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
