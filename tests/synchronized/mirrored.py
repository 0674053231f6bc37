"""A process with logical devices of its own: real strategies, compared with one device.

Arguments: how many replicas, and whether they are on a GPU. Fails by an assertion.
"""

import sys

import numpy as np
import tensorflow as tf
from shares import assert_close, batch, split

from tailops._options import TailOptions
from tailops._tensorflow import range_mean, union
from tailops._tensorflow.tail_loss import tail_loss

CUTS = {2: [23], 4: [23, 23, 59]}


def all_reduce(x):
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x)


def per_replica(strategy, arrays):
    """Each replica's share, as what `strategy.run` takes."""
    return [
        strategy.experimental_distribute_values_from_function(
            lambda context, parts=parts: tf.constant(parts[context.replica_id_in_sync_group])
        )
        for parts in zip(*arrays, strict=True)
    ]


def local_results(strategy, found):
    return [np.asarray(x) for x in strategy.experimental_local_results(found)]


def check_losses(strategy, options, residuals, mask):
    arrays = batch(residuals, mask or "none", np.float32)
    arrays = arrays if mask else arrays[:2]
    shares = split(arrays, CUTS[strategy.num_replicas_in_sync])

    @tf.function
    def step(y_true, y_pred, kept=None):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            losses = union.tail_loss(y_true, y_pred, options, mask=kept, all_reduce=all_reduce)
            total = tf.reduce_sum(losses)
        return losses, tape.gradient(total, y_pred)

    @tf.function
    def steps(arguments):
        return strategy.run(step, arguments)

    losses, slopes = (
        np.concatenate(local_results(strategy, found))
        for found in steps(tuple(per_replica(strategy, shares)))
    )
    y_true, y_pred, *kept = map(tf.constant, arrays)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        expected = tail_loss(
            y_true, y_pred, options, reduction="none", mask=kept[0] if kept else None
        )
        total = tf.reduce_sum(expected)
    np.testing.assert_array_equal(losses, expected)
    assert_close(slopes, tape.gradient(total, y_pred), 1e-6)


def check_ranges(strategy, kind, bounds, axis):
    values = batch("few_valued", "none", np.float32)[1]
    replicas = strategy.num_replicas_in_sync
    shares = split([values], CUTS[replicas])

    @tf.function
    def step(share):
        with tf.GradientTape() as tape:
            tape.watch(share)
            mean = union.range_mean(share, bounds, kind, axis, all_reduce=all_reduce)
            total = tf.reduce_sum(mean)
        return mean, tape.gradient(total, share)

    @tf.function
    def steps(arguments):
        return strategy.run(step, arguments)

    means, slopes = steps(tuple(per_replica(strategy, shares)))
    expected = range_mean.range_mean(values, bounds, kind, axis)
    for mean in local_results(strategy, means):
        assert_close(mean, expected, 1e-6)
    weights = range_mean.range_weights(values, bounds, kind, axis)
    assert_close(np.concatenate(local_results(strategy, slopes)), replicas * weights, 1e-6)


def logical_devices(replicas, kind):
    """A strategy of so many, on one physical device."""
    memory = {"memory_limit": 256} if kind == "GPU" else {}
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices(kind)[0],
        [tf.config.LogicalDeviceConfiguration(**memory)] * replicas,
    )
    # NCCL takes no two replicas on one GPU.
    sums = tf.distribute.ReductionToOneDevice() if kind == "GPU" else None
    return tf.distribute.MirroredStrategy([f"{kind}:{i}" for i in range(replicas)], sums)


def main(replicas, kind="CPU"):
    strategy = logical_devices(replicas, kind)
    assert strategy.num_replicas_in_sync == replicas
    for axis in (None, 0):
        options = TailOptions(percentile=0.9, smoothing_factor=3.0, axis=axis)
        check_losses(strategy, options, "random", None)
        check_losses(strategy, options, "ties_on_one", "a share")
        check_losses(strategy, options, "nan_on_one", "random")
    check_losses(strategy, TailOptions(method="linear", gradient="fixed_weight"), "sorted", None)
    for axis in (None, 0):
        check_ranges(strategy, "between", (0.8, 1.0), axis)
    check_ranges(strategy, "largest", (7.0, 0.0), None)
    check_ranges(strategy, "at_least", (1.0, 3.0), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
