"""The window's operations on TensorFlow's tensors: `tailops._functionals.WindowSteps`."""

from collections.abc import Callable
from typing import Any, NoReturn

import tensorflow as tf

from tailops._inputs import Inputs
from tailops._ranges import Range
from tailops._tensorflow import tensors, xla
from tailops._tensorflow.attributes import attributes_of, masks_of, numbers_of
from tailops._tensorflow.library import library
from tailops._tensorflow.range_mean import options_of
from tailops._tensorflow.replicas import gathered, replicas
from tailops._tensorflow.union import TailSteps
from tailops._windows import NOT_TRAINED


def remember(
    batch: Inputs, errors: Any, written: Any, frozen: bool
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The window behind a batch, or behind the shares of all replicas, and where it is filled."""
    if xla.must_fall_back():
        raise NotImplementedError(
            "window=…: there are no kernels for it inside XLA here: compile the model with "
            "jit_compile=False"
        )
    options = batch.options
    given = [tf.stop_gradient(x) for x in (batch.y_true, batch.y_pred)] + masks_of(batch.mask)
    if options.synchronized and replicas() is not None:
        given = [gathered(tf.reshape(x, [-1])) for x in given]
    found = library.tailops_remember(
        y_true=given[0],
        y_pred=given[1],
        mask=given[2:],
        window=errors,
        written=written,
        frozen=frozen,
        **attributes_of(options),
    )
    filled = tf.range(errors.shape[0], dtype=errors.dtype) < found.written_after
    return found.window_after, found.written_after, filled


def losses(batch: Inputs, errors: tf.Tensor, filled: tf.Tensor) -> tf.Tensor:
    """Of each element, by the threshold of the window."""
    options = batch.options
    of_window = options.of_errors()
    _, state = library.tailops_tail_loss(
        y_true=errors,
        y_pred=errors,
        numbers=numbers_of(of_window),
        mask=[filled],
        reduction="sum",
        **attributes_of(of_window),
    )

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def losses_of(targets: Any, predictions: Any) -> tuple[Any, Callable[[Any], Any]]:
        steps = TailSteps(targets, predictions, batch.mask, options)

        def gradient(upstream: Any) -> tuple[Any, Any]:
            slope = library.tailops_tail_loss_grad(
                upstream=upstream, state=state, reduction="none", **steps.of_share()
            )
            return -slope if options.reads_targets else None, slope

        return steps.losses(state), gradient

    return losses_of(batch.y_true, batch.y_pred)


def range_weights(
    values: tf.Tensor, mask: tf.Tensor | None, errors: tf.Tensor, filled: tf.Tensor, part: Range
) -> tf.Tensor:
    """The weights of values in the mean of a part of the window, times how many that has."""
    _, state = library.tailops_range_mean(
        values=errors,
        bounds=part.bounds(tensors),
        weights=[],
        **options_of(part.kind, None, filled),
    )
    weights = library.tailops_range_mean_grad(
        upstream=tf.reduce_sum(tf.cast(filled, errors.dtype)),
        values=tf.stop_gradient(values),
        state=state,
        **options_of(part.kind, None, mask),
    )
    return tf.stop_gradient(weights)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def not_trained(x: tf.Tensor) -> tuple[tf.Tensor, Callable[[Any], Any]]:
    """The tensor, whose gradient is an error."""

    def gradient(_: Any) -> NoReturn:
        raise ValueError(NOT_TRAINED)

    return tf.identity(x), gradient
