"""The replicas of `tf.distribute` that compute a step together."""

from typing import Any

import tensorflow as tf

from tailops._inputs import Inputs, as_inputs, valid_elements
from tailops._keras_scopes import in_symbolic_scope
from tailops._options import TailOptions, require_reduction
from tailops._reductions import reduced
from tailops._tensorflow import tensors, union, xla


def all_reduce(x: Any) -> Any:
    """The sum over all replicas, on each of them. Its gradient is the sum of theirs."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, x)


def gathered(x: Any) -> Any:
    """All replicas' vectors, one behind the other, on each of them."""
    context = tf.distribute.get_replica_context()
    if x.dtype == tf.bool:  # of which there is no such collective on GPUs
        return context.all_gather(tf.cast(x, tf.int32), axis=0) != 0
    return context.all_gather(x, axis=0)


class Replicas:
    """As `tailops._functionals.Replicas`."""

    def range_mean(
        self, values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None
    ) -> tf.Tensor:
        """Those of the union of the shares, on every replica."""
        return union.range_mean(values, bounds, kind, axis, mask, all_reduce=all_reduce)

    def range_weights(
        self, values: Any, bounds: Any, kind: str, axis: int | None, mask: Any = None
    ) -> tf.Tensor:
        """Those of this replica's share."""
        return union.range_weights(values, bounds, kind, axis, mask, all_reduce=all_reduce)

    def tail_loss(
        self, y_true: Any, y_pred: Any, options: TailOptions, *, reduction: str, mask: Any = None
    ) -> tf.Tensor:
        """That of this replica's share, by the union's thresholds; means are of the share."""
        require_reduction(reduction)
        return self.of_inputs(as_inputs(tensors, y_true, y_pred, options, mask), reduction)

    def of_inputs(self, inputs: Inputs, reduction: str) -> tf.Tensor:
        """The same of inputs that are checked."""
        losses = union.of_share(inputs, all_reduce)
        return reduced(tensors, losses, valid_elements(tensors, inputs), reduction)

    def total(self, x: Any) -> Any:
        """The sum over all replicas, on each of them."""
        return all_reduce(x)


def replicas() -> Replicas | None:
    """Those that compute the step which is traced or run now; None if there is one.

    Raises:
        RuntimeError: There are several, and this is none of them.
        NotImplementedError: XLA compiles the step: it has no collectives of `tf.distribute`.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1 or in_symbolic_scope():
        return None
    name = type(strategy).__name__
    if xla.is_compiling():
        raise NotImplementedError(
            f"synchronized=True under {name}, in a step that XLA compiles: it has no collectives "
            "there. Compile the model with jit_compile=False."
        )
    if tf.distribute.in_cross_replica_context():
        raise RuntimeError(
            f"synchronized=True under {name}, outside of a replica: must be computed inside of "
            "strategy.run, by all replicas"
        )
    return Replicas()
