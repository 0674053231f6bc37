"""In TensorFlow: the loss as published and with other selections, and our ops."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from bench.baselines.entry import (
    Baseline,
    LossTask,
    SelectionTask,
    TailTask,
    as_tuple,
    installed,
)
from bench.case import OURS, Contestant
from bench.published import ARGUMENTS, ERROR_SCALE, SMOOTHING_FACTOR, rank_of
from tailops import ops
from tailops._options import TailOptions

OURS_EAGER, OURS_XLA = "tailops, eager", "tailops, XLA"
SORT, SORT_XLA = "tf.sort", "tf.sort, XLA"

Select = Callable[[tf.Tensor, int], tf.Tensor]
Loss = Callable[..., Any]


def _keras_quantile(x: tf.Tensor, rank: int) -> tf.Tensor:
    return keras.ops.quantile(x, rank / max(x.shape[-1] - 1, 1), axis=-1, method="nearest")


def _tfp_percentile(x: tf.Tensor, rank: int) -> tf.Tensor:
    import tensorflow_probability as tfp

    q = 100 * rank / max(x.shape[-1] - 1, 1)
    return tfp.stats.percentile(x, q, axis=-1, interpolation="nearest")


# By TensorFlow's name for it: the element of a rank along the last axis.
SELECT: dict[str, Select] = {
    SORT: lambda x, rank: tf.sort(x, axis=-1)[..., rank],
    "tf.math.top_k": lambda x, rank: tf.math.top_k(x, x.shape[-1] - rank).values[..., -1],
    "NthElement": lambda x, rank: tf.raw_ops.NthElement(input=x, n=rank),
    "keras.ops.quantile": _keras_quantile,
}
if installed("tensorflow_probability"):
    SELECT["tfp.stats.percentile"] = _tfp_percentile


def loss_of(select: Select, axis: int | None = None) -> Loss:
    """The loss with a threshold selected so, of everything or of each slice along the axis."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        error = tf.abs(y_pred - y_true)
        if error.dtype.size == 2:  # as ours: 16 bits are too few for a sum
            error = tf.cast(error, tf.float32)
        if axis is None:
            error = tf.reshape(error, [-1])
        rows = tf.transpose(error) if axis == 0 else error
        threshold = select(rows, rank_of(rows.shape[-1]))
        if axis is not None:
            threshold = tf.expand_dims(threshold, axis)
        h = 0.5 * (1.0 + tf.tanh(SMOOTHING_FACTOR * (error - threshold)))
        return tf.reduce_mean(error * (1.0 + ERROR_SCALE * h))

    return loss


def ours(axis: int | None = None) -> Loss:
    """The fused op."""
    options = TailOptions(*ARGUMENTS, axis=axis)
    return lambda y_true, y_pred: ops.tail_loss(y_true, y_pred, options, reduction="mean")


def operations_of(function: Any, *tensors: tf.Tensor) -> int:
    """How many operations a call of a `tf.function` runs, before TensorFlow optimises it."""
    free = {"Const", "Identity", "IdentityN", "NoOp", "Placeholder"}
    graph = function.get_concrete_function(*tensors).graph
    return sum(operation.type not in free for operation in graph.get_operations())


def _with_gradient(loss: Loss) -> Loss:
    """By the last argument."""

    def step(*tensors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(tensors[-1])
            value = loss(*tensors)
        return value, tape.gradient(value, tensors[-1])

    return step


def _eager(function: Loss, tensors: tuple[Any, ...]) -> Contestant:
    return Contestant(lambda: as_tuple(function(*tensors)))


def _graph(function: Loss, tensors: tuple[Any, ...]) -> Contestant:
    compiled = tf.function(function)
    return Contestant(lambda: as_tuple(compiled(*tensors)), operations_of(compiled, *tensors))


def _xla(function: Loss, tensors: tuple[Any, ...]) -> Contestant:
    return _eager(tf.function(function, jit_compile=True), tensors)


How = Callable[[Loss, tuple[Any, ...]], Contestant]


def _loss(loss: Callable[[int | None], Loss], how: How = _graph) -> Baseline[LossTask]:
    def make(task: LossTask) -> Contestant:
        function = loss(task.axis)
        return how(_with_gradient(function) if task.gradient else function, task.tensors)

    return Baseline(make)


def _selection(select: Select, how: How = _graph) -> Baseline[SelectionTask]:
    # A function of its own for each task: TensorFlow would go on tracing one.
    return Baseline(lambda task: how(lambda x: select(x, task.rank), task.tensors))


def _tail(mean: Callable[[tf.Tensor, int], tf.Tensor], how: How = _graph) -> Baseline[TailTask]:
    def make(task: TailTask) -> Contestant:
        def function(values: tf.Tensor) -> tf.Tensor:
            return mean(values, task.k)

        return how(_with_gradient(function) if task.gradient else function, task.tensors)

    return Baseline(make)


def _mean_by_top_k(values: tf.Tensor, k: int) -> tf.Tensor:
    return tf.reduce_mean(tf.math.top_k(values, k, sorted=False).values)


def _mean_by_sorting(values: tf.Tensor, k: int) -> tf.Tensor:
    return tf.reduce_mean(tf.sort(values, direction="DESCENDING")[:k])


LOSSES = {
    OURS: _loss(ours),
    OURS_EAGER: _loss(ours, _eager),
    OURS_XLA: _loss(ours, _xla),
    **{name: _loss(partial(loss_of, select)) for name, select in SELECT.items()},
    SORT_XLA: _loss(partial(loss_of, SELECT[SORT]), _xla),
}
SELECTIONS = {
    OURS: _selection(ops.nth_element),
    OURS_EAGER: _selection(ops.nth_element, _eager),
    OURS_XLA: _selection(ops.nth_element, _xla),
    **{name: _selection(select) for name, select in SELECT.items()},
    SORT_XLA: _selection(SELECT[SORT], _xla),
}
TAILS = {
    OURS: _tail(ops.average_top_k),
    OURS_EAGER: _tail(ops.average_top_k, _eager),
    OURS_XLA: _tail(ops.average_top_k, _xla),
    "tf.math.top_k": _tail(_mean_by_top_k),
    SORT: _tail(_mean_by_sorting),
    SORT_XLA: _tail(_mean_by_sorting, _xla),
}
