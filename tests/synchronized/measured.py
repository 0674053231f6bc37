"""Metrics under a real strategy: what its replicas see is added up to that of one device.

Argument: how many replicas a process of its own has; 0: it is a worker of several, and the
environment's TF_CONFIG says which. Fails by an assertion.
"""

import sys

import numpy as np
import tensorflow as tf

from tailops import metrics

ROWS = 60
RNG = np.random.default_rng(0)
# Missing labels, all of the first third's among them: a share without any valid one.
LABELS = RNG.standard_normal((ROWS, 3)).astype("float32")
LABELS[RNG.random((ROWS, 3)) < 0.3] = -1.0
LABELS[: ROWS // 3] = -1.0
GUESSES = RNG.standard_normal((ROWS, 3)).astype("float32")
CLASSES = np.where(RNG.random(ROWS) < 0.2, -1, RNG.integers(0, 3, ROWS)).astype("int32")
SHARES = np.exp(GUESSES) / np.exp(GUESSES).sum(-1, keepdims=True)

METRICS = {
    "percentile": (lambda: metrics.ErrorPercentile(0.9, ignore_value=-1), LABELS, GUESSES),
    "buckets": (
        lambda: metrics.ErrorPercentile(0.9, ignore_value=-1, exact_size=10),
        LABELS,
        GUESSES,
    ),
    "tail mean": (lambda: metrics.TailMean("mae", 0.9), LABELS, GUESSES),
    "absolute": (lambda: metrics.MaskedMeanAbsoluteError(ignore_value=-1), LABELS, GUESSES),
    "squared": (lambda: metrics.MaskedMeanSquaredError(ignore_value=-1), LABELS, GUESSES),
    "cosine": (lambda: metrics.MaskedCosineSimilarity(), LABELS, GUESSES),
    "accuracy": (lambda: metrics.MaskedCategoricalAccuracy(ignore_values=[-1]), CLASSES, SHARES),
    "crossentropy": (
        lambda: metrics.MaskedSparseCategoricalCrossentropy(ignore_values=[-1]),
        CLASSES,
        SHARES,
    ),
}


def check_metrics(strategy):
    replicas = strategy.num_replicas_in_sync
    cuts = [ROWS // 3 + 5 * i for i in range(replicas - 1)]

    def share_of(array):
        parts = np.split(array, cuts)
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )

    for name, (make, y_true, y_pred) in METRICS.items():
        with strategy.scope():
            together = make()
        alone = make()
        update = tf.function(lambda *data, metric=together: strategy.run(metric.update_state, data))
        for order in (slice(None), slice(None, None, -1)):
            update(share_of(y_true[order]), share_of(y_pred[order]))
            alone.update_state(y_true[order], y_pred[order])
            found = np.asarray(together.result())
            np.testing.assert_allclose(found, alone.result(), rtol=1e-6, err_msg=name)


def main(replicas):
    if replicas == 0:
        return check_metrics(tf.distribute.MultiWorkerMirroredStrategy())
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
    )
    return check_metrics(tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
