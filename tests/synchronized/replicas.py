"""Replicas that are threads: what each of them adds up, all of them get."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf


class Replicas:
    """So many threads, and an `all_reduce` between them.

    A replica that fails breaks the barrier, so that the others fail instead of waiting.
    """

    def __init__(self, count):
        self.count = count
        self.barrier = threading.Barrier(count, timeout=60)
        self.given = [None] * count
        self.reduced = [[] for _ in range(count)]

    def run(self, step, shares):
        """`step(*share, all_reduce)` of every replica, in their order."""
        self.reduced = [[] for _ in range(self.count)]
        self.barrier.reset()
        with ThreadPoolExecutor(self.count) as threads:
            steps = [
                threads.submit(self._of_one, step, replica, share)
                for replica, share in enumerate(shares)
            ]
        errors = [error for one in steps if (error := one.exception()) is not None]
        for error in errors:
            if not isinstance(error, threading.BrokenBarrierError):
                raise error
        return [one.result() for one in steps]

    def _of_one(self, step, replica, share):
        def all_reduce(x):
            self.given[replica] = x.numpy()
            self.reduced[replica].append((x.dtype.name, tuple(x.shape)))
            self.barrier.wait()
            total = np.sum(self.given, axis=0)
            self.barrier.wait()
            return tf.constant(total, x.dtype)

        try:
            return step(*share, all_reduce)
        except BaseException:
            self.barrier.abort()
            raise

    def collectives(self):
        """(dtype, shape) of each, which must have been the same on every replica."""
        assert all(one == self.reduced[0] for one in self.reduced)
        return self.reduced[0]
