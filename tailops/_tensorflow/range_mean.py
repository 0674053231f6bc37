"""The op of the range mean, its gradient, and the weights, which are that."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops import reference_range_mean
from tailops._tensorflow import xla
from tailops._tensorflow.attributes import masks_of
from tailops._tensorflow.library import library
from tailops._tensorflow.weights import arrays_of, times_each


def options_of(kind: str, axis: int | None, mask: Any) -> dict[str, Any]:
    """What both ops take."""
    return {
        "mask": masks_of(mask),
        "kind": kind,
        "axis": [] if axis is None else [axis],
    }


def range_mean(
    values: tf.Tensor,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """As `reference_range_mean.range_mean`, in one op; where XLA has none, that."""
    if xla.must_fall_back():
        return reference_range_mean.range_mean(values, bounds, kind, axis, mask, weights)
    mean, _ = library.tailops_range_mean(
        values=values, bounds=bounds, weights=arrays_of(weights), **options_of(kind, axis, mask)
    )
    return mean


def range_weights(
    values: tf.Tensor,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The elements' weights in `range_mean`, whose gradient they are; constants themselves."""
    if xla.must_fall_back():
        return reference_range_mean.range_weights(values, bounds, kind, axis, mask)
    values = tf.stop_gradient(values)
    options = options_of(kind, axis, mask)
    mean, state = library.tailops_range_mean(values=values, bounds=bounds, weights=[], **options)
    weights = library.tailops_range_mean_grad(
        upstream=tf.ones_like(mean), values=values, state=state, **options
    )
    return tf.stop_gradient(weights)


@tf.RegisterGradient("Tailops>RangeMean")  # type: ignore[untyped-decorator]
def _range_mean_gradient(op: Any, upstream: Any, _: Any) -> list[Any]:
    values, _, *others = op.inputs
    mask, weights = ([], others) if op.get_attr("weight_arrays") else (others, [])
    gradient = library.tailops_range_mean_grad(
        upstream=upstream,
        values=values,
        state=op.outputs[1],
        mask=mask,
        kind=op.get_attr("kind"),
        axis=op.get_attr("axis"),
    )
    return [times_each(gradient, weights), None, *(None for _ in others)]


@tf.RegisterGradient("Tailops>RangeMeanGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("The gradient of a range mean has no derivative of its own here.")
