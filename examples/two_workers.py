"""Several processes train one model, on the tail of all their batches together.

Each process is a worker of `tf.distribute.MultiWorkerMirroredStrategy`, as it would be on a machine
of its own; here they meet on loopback. Every step's batch is sorted by how far off it is and cut
into a share for each worker, the hardest last: the worst case for percentiles of shares. Compared
are the weights after some steps with those of one process that has the whole batch.

    python examples/two_workers.py [--workers 2] [--steps 30]
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

FEATURES, BATCH = 5, 240


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """A step's inputs and targets, the largest targets last."""
    rng = np.random.default_rng(step)
    x = rng.standard_normal((BATCH, FEATURES)).astype("float32")
    y = x @ np.linspace(-1, 1, FEATURES, dtype="float32") + rng.standard_t(2, BATCH)
    order = np.argsort(np.abs(y))
    return x[order], y[order, None].astype("float32")


def train(steps: int, synchronized: bool) -> np.ndarray:
    """The weights of a linear model, by as many workers as the environment says."""
    import tensorflow as tf

    from tailops.losses import TailWeightedLoss

    strategy, worker = tf.distribute.get_strategy(), 0
    if "TF_CONFIG" in os.environ:
        # Before anything else of TensorFlow's: it starts this worker's server.
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        worker = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    workers = strategy.num_replicas_in_sync
    loss_of = TailWeightedLoss("mae", percentile=0.9, reduction="sum", synchronized=synchronized)
    with strategy.scope():
        weights = tf.Variable(tf.zeros((FEATURES, 1)))

    @tf.function
    def step(x: tf.Tensor, y: tf.Tensor) -> None:
        def of_replica(x: tf.Tensor, y: tf.Tensor) -> None:
            with tf.GradientTape() as tape:
                loss = loss_of(y, x @ weights) / BATCH
            slope = tape.gradient(loss, weights)
            replica = tf.distribute.get_replica_context()
            total = replica.all_reduce(tf.distribute.ReduceOp.SUM, slope)
            weights.assign_sub(0.02 * total)

        strategy.run(of_replica, args=(x, y))

    for number in range(steps):
        x, y = (np.array_split(array, workers)[worker] for array in batch(number))
        step(tf.constant(x), tf.constant(y))
    return weights.numpy()


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def environments(workers: int) -> list[dict[str, str]]:
    """Of so many processes that are to find each other on loopback."""
    cluster = {"worker": [f"localhost:{port}" for port in free_ports(workers)]}
    tasks = [
        {"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(workers)
    ]
    return [os.environ | {"TF_CONFIG": json.dumps(task)} for task in tasks]


def train_together(workers: int, steps: int, synchronized: bool) -> np.ndarray:
    """The weights that so many processes find; RuntimeError if one of them fails."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "weights.npy"
        processes = []
        for index, environment in enumerate(environments(workers)):
            command = [sys.executable, __file__, "--steps", str(steps)]
            command += ["--synchronized"] if synchronized else []
            command += ["--save", str(out)] if index == 0 else ["--save", os.devnull]
            processes.append(subprocess.Popen(command, env=environment))
        codes = [process.wait() for process in processes]
        if any(codes):
            raise RuntimeError(f"workers ended with {codes}")
        return np.load(out)


def shown(weights: np.ndarray) -> str:
    """To four places."""
    return " ".join(f"{weight:.4f}" for weight in weights.ravel())


def main() -> None:
    """Trains alone and together, and prints how far apart the weights are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--synchronized", action="store_true", help="of a worker")
    parser.add_argument("--save", help="of a worker: where its weights go")
    arguments = parser.parse_args()
    if arguments.save:
        weights = train(arguments.steps, arguments.synchronized)
        if arguments.save != os.devnull:
            np.save(arguments.save, weights)
        return
    alone = train(arguments.steps, False)
    print(f"one process: {shown(alone)}")
    for synchronized in (True, False):
        together = train_together(arguments.workers, arguments.steps, synchronized)
        difference = np.abs(together - alone).max()
        print(
            f"{arguments.workers} processes, synchronized={synchronized}: "
            f"{shown(together)}, off by {difference:.1e}"
        )


if __name__ == "__main__":
    main()
