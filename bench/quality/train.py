"""Trains what is not in the cache, a process for each core."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.quality import data
from bench.quality.cache import Cache, Statistics

# Of a cached result: it is trained anew when this changes, as it must where data or model do.
VERSION = 2
SECONDS = "seconds"
# What XLA compiled is never forgotten, some ten megabytes for each loss.
LOSSES_OF_A_PROCESS = 50

Job = dict[str, Any]
Csv = tuple[Path | None, str]


def _one_thread() -> None:
    """A process for each core: small models are faster so than with two threads each."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")  # of what is traced anew: each loss is


def _train(job: Job, csv: Csv, seeds: list[int]) -> tuple[dict[int, Statistics], float]:
    from bench.quality import fit

    began = time.perf_counter()
    found = fit.run(data.table(job["table"], *csv), job, job["batch"], job["epochs"], seeds)
    return found, (time.perf_counter() - began) / len(seeds)


def key_of(job: Job, seed: int) -> Job:
    """What a result is cached under."""
    return {**job, "seed": seed, "version": VERSION}


def train_missing(
    jobs: list[Job], cache: Cache, seeds: list[int], processes: int, csv: Csv
) -> None:
    """Fills the cache."""
    missing: dict[str, tuple[Job, list[int]]] = {}
    for job in jobs:
        left = [seed for seed in seeds if cache.get(key_of(job, seed)) is None]
        if left:
            missing[str(job)] = (job, left)
    if not missing:
        return
    todo = list(missing.values())
    with tqdm(total=sum(len(left) for _, left in todo), unit="fit") as progress:
        for start in range(0, len(todo), LOSSES_OF_A_PROCESS * processes):
            some = todo[start : start + LOSSES_OF_A_PROCESS * processes]
            for key, statistics in _trained(some, processes, csv):
                cache.put(key, statistics)
                progress.update()


def _trained(
    todo: list[tuple[Job, list[int]]], processes: int, csv: Csv
) -> Iterator[tuple[Job, Statistics]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _one_thread) as pool:
        of_future: dict[Future[Any], Job] = {
            pool.submit(_train, job, csv, left): job for job, left in todo
        }
        for future in as_completed(of_future):
            found, seconds = future.result()
            for seed, statistics in found.items():
                yield key_of(of_future[future], seed), statistics | {SECONDS: seconds}
