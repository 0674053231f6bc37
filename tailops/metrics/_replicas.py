"""Replicas of `tf.distribute`; elsewhere there is one."""

from typing import Any

import keras


def replica_count() -> int:
    """How many replicas share the variables that are made now."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    count: int = tf.distribute.get_strategy().num_replicas_in_sync
    return count


def replica_index() -> Any:
    """Which of them this is."""
    if keras.backend.backend() != "tensorflow":
        return 0
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return 0 if context is None else context.replica_id_in_sync_group
