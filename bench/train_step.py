"""Loss and gradient in a `tf.function`: tailops against the same loss in TensorFlow's own ops.

Rounds are interleaved, so that a slow moment of the machine strikes everybody; medians, and
ratios to tailops. Every peer must agree with tailops before it is timed.
"""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bench.peers import PEERS, Peer
from bench.timing import interleaved

Step = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def step_of(peer: Peer) -> Step:
    """One forward and backward pass, compiled into a graph, and by XLA where the peer asks."""

    def step(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = peer.loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    return tf.function(step, jit_compile=peer.jit_compile)


def operations_of(step: Step, y_true: tf.Tensor, y_pred: tf.Tensor) -> int:
    """How many operations a step's graph runs, before TensorFlow optimises it."""
    free = {"Const", "Identity", "IdentityN", "NoOp", "Placeholder"}
    graph = step.get_concrete_function(y_true, y_pred).graph
    return sum(operation.type not in free for operation in graph.get_operations())


def count_operations() -> dict[str, int]:
    """Of each peer that TensorFlow itself runs."""
    y_true, y_pred = tf.zeros(100), tf.linspace(0.0, 1.0, 100)
    return {
        name: operations_of(step_of(peer), y_true, y_pred)
        for name, peer in PEERS.items()
        if not peer.jit_compile
    }


def measure(n: int, seconds: float) -> dict[str, float]:
    """Median seconds of each peer at this size."""
    rng = np.random.default_rng(0)
    y_true = tf.constant(rng.uniform(size=n).astype(np.float32))
    y_pred = y_true + tf.constant((0.1 * rng.standard_normal(n)).astype(np.float32))
    steps = {name: step_of(peer) for name, peer in PEERS.items()}
    expected, expected_slope = steps["tailops"](y_true, y_pred)
    for step in steps.values():
        value, slope = step(y_true, y_pred)
        np.testing.assert_allclose(value, expected, rtol=1e-5)
        scale = np.abs(expected_slope).max()
        np.testing.assert_allclose(slope, expected_slope, rtol=0, atol=1e-3 * scale)

    def consumed(step: Step) -> Callable[[], None]:
        def action() -> None:
            value, slope = step(y_true, y_pred)
            value.numpy(), slope[:1].numpy()

        return action

    actions = {name: consumed(step) for name, step in steps.items()}
    times = interleaved(actions, rounds=5, seconds=seconds)
    return {name: statistics.median(values) for name, values in times.items()}


def run(sizes: list[int], seconds: float) -> list[dict[str, Any]]:
    """Times every size and prints the table."""
    print("\nloss and gradient in a tf.function, float32, milliseconds (times tailops)\n")
    print(f"{'n':>10}" + "".join(f"{name:>24}" for name in PEERS))
    counts = count_operations()
    print(f"{'operations':>10}" + "".join(f"{counts.get(name, ''):>24}" for name in PEERS))
    rows: list[dict[str, Any]] = [{"operations": counts}]
    for n in sizes:
        medians = measure(n, seconds)
        ours = medians["tailops"]
        cells = (f"{t * 1e3:.3g} ({t / ours:.3g})" for t in medians.values())
        print(f"{n:>10}" + "".join(f"{cell:>24}" for cell in cells), flush=True)
        rows.append({"n": n, "seconds": medians})
    return rows
