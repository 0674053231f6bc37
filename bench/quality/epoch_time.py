"""Seconds of an epoch with each loss, all interleaved, on one table."""

from typing import Any

import numpy as np
import tensorflow as tf

from bench.quality.data import Table
from bench.quality.fit import Trainer
from bench.quality.losses import MAIN, make
from bench.timing import interleaved, spread

ROUNDS = 11


def measure(table: Table, batches: tuple[int, ...]) -> list[dict[str, Any]]:
    """A row for each batch size that the table is large enough for."""
    split = next(table.splits(0))
    rows, features = split.x_train.shape
    x, y = tf.constant(split.x_train), tf.constant(split.y_train)
    order = tf.constant(np.random.default_rng(0).permutation(rows).astype(np.int32))
    found = []
    for batch in batches:
        if batch > rows:
            continue
        actions = {}
        for label, (kind, options) in MAIN.items():
            trainer = Trainer(rows, features, make(kind, options), batch, epochs=1000)
            actions[label] = lambda trainer=trainer: trainer.epoch(x, y, order)
        seconds = {
            label: spread(times)._asdict()
            for label, times in interleaved(actions, rounds=ROUNDS).items()
        }
        found.append({"table": table.name, "batch": batch, "seconds": seconds})
    return found
