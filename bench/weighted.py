"""Quantiles by weights beside those without, and beside everybody who has them.

    python -m bench.weighted [--output FILE]

One row of float32, weights of float32 and of float64, all in one run, interleaved. Everybody finds
the same element, but for JAX, whose sums of weights are rounded. The floor of a selection reads the
row once; with weights, these as well: twice as many bytes, or three times.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import tensorflow as tf

import tailops.jax
from bench.environment import THREADS
from bench.timing import interleaved, times_floor
from tailops import kernels, ops

BY: dict[str, Any] = {"method": "inverted_cdf"}
OURS = "kernels"
WEIGHTS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "uniform": lambda rng, n: rng.random(n),
    "counts": lambda rng, n: rng.integers(1, 9, n),
    "heavy-tailed": lambda rng, n: rng.pareto(1.5, n),
}


def contestants(x: Any, weights: Any, q: float) -> dict[str, Callable[[], Any]]:
    """Each finds a quantile, computed to the end."""
    narrow, wide = weights.astype(np.float32), weights.astype(np.float64)
    tensor, counts = tf.constant(x), tf.constant(narrow)
    array, of_array = jnp.asarray(x), jnp.asarray(narrow)
    graph = tf.function(lambda x, w: ops.quantile(x, q, weights=w, **BY))
    ours_on_jax = jax.jit(lambda x, w: tailops.jax.quantile(x, q, weights=w, **BY))
    theirs = jax.jit(lambda x: jnp.quantile(x, q, **BY))
    with_weights: Any = jnp.quantile  # of which stubs do not know
    of_weights = jax.jit(lambda x, w: with_weights(x, q, weights=w, **BY))
    return {
        OURS: lambda: kernels.select(x, [q], threads=THREADS, **BY),
        "kernels, weights": lambda: kernels.select(x, [q], weights=narrow, threads=THREADS, **BY),
        "kernels, wide weights": lambda: kernels.select(
            x, [q], weights=wide, threads=THREADS, **BY
        ),
        "tailops.ops, weights": lambda: graph(tensor, counts).numpy(),
        "tailops.jax, weights": lambda: ours_on_jax(array, of_array).block_until_ready(),
        "np.quantile": lambda: np.quantile(x, q, **BY),
        "np.quantile, weights": lambda: np.quantile(x, q, weights=narrow, **BY),
        "jnp.quantile": lambda: theirs(array).block_until_ready(),
        "jnp.quantile, weights": lambda: of_weights(array, of_array).block_until_ready(),
        "keras.ops.quantile": lambda: keras.ops.quantile(tensor, q, method="nearest").numpy(),
    }


def main() -> None:
    """Measures; prints and writes milliseconds and ratios to the selection without weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=10.0, help="of a case, at least")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = []
    for n in arguments.sizes:
        for kind, draw in WEIGHTS.items():
            for q in (0.5, 0.99):
                rng = np.random.default_rng(0)
                x, weights = rng.standard_normal(n).astype(np.float32), draw(rng, n)
                actions = contestants(x, weights, q)
                expected = np.quantile(x, q, weights=weights.astype(np.float32), **BY)
                for name in ("kernels, weights", "tailops.ops, weights", "tailops.jax, weights"):
                    np.testing.assert_array_equal(np.ravel(actions[name]()), expected)
                times = interleaved(actions, 5, arguments.seconds)
                row = {
                    name: {
                        "seconds": statistics.median(of),
                        "times_unweighted": times_floor(times, name, OURS),
                    }
                    for name, of in times.items()
                }
                rows.append({"n": n, "weights": kind, "q": q, "threads": THREADS, "who": row})
                print(f"\n{n:,} elements, {kind} weights, q = {q}")
                for name, of in row.items():
                    ratio = f"{of['times_unweighted']:8.2f} x"
                    print(f"  {name:24} {1e3 * of['seconds']:9.3f} ms {ratio}", flush=True)
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
