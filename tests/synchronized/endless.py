"""A worker of several that computes the tail of all of them again and again, and says so.

The environment's TF_CONFIG says which.
"""

import itertools

import numpy as np
import tensorflow as tf

from tailops.ops import cvar


def main():
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    values = tf.constant(np.random.default_rng(0).standard_normal(1000), tf.float32)
    step = tf.function(lambda: strategy.run(lambda: cvar(values, 0.9, synchronized=True)))
    for number in itertools.count():
        print(number, float(step()), flush=True)


if __name__ == "__main__":
    main()
