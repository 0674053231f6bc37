"""The op of the selection, and its gradient."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops import reference_selection
from tailops._tensorflow import xla
from tailops._tensorflow.library import library
from tailops._tensorflow.weights import arrays_of, times_each


def select(
    x: tf.Tensor,
    q: tf.Tensor,
    method: str,
    axis: int | None,
    ignore_nan: bool = False,
    weights: tf.Tensor | None = None,
) -> tf.Tensor:
    """As `reference_selection.select`, in one op; where XLA has none, that."""
    if xla.must_fall_back():
        return reference_selection.select(
            x, q, method=method, axis=axis, ignore_nan=ignore_nan, weights=weights
        )
    # A gradient that is still to be multiplied by weights may be beyond 16 bits.
    is_narrow = weights is not None and x.dtype in (tf.float16, tf.bfloat16)
    value, _ = library.tailops_select(
        x=tf.cast(x, tf.float32) if is_narrow else x,
        q=q,
        weights=arrays_of(weights),
        method=method,
        axis=[] if axis is None else [axis],
        ignore_nan=ignore_nan,
    )
    return tf.cast(value, x.dtype)


@tf.RegisterGradient("Tailops>Select")  # type: ignore[untyped-decorator]
def _select_gradient(op: Any, upstream: Any, _: Any) -> list[Any]:
    x, _, *weights = op.inputs
    others = [None, *(None for _ in weights)]
    if not x.dtype.is_floating:
        return [None, *others]
    attributes = {name: op.get_attr(name) for name in ("method", "ignore_nan", "axis")}
    gradient = library.tailops_select_grad(
        upstream=upstream, x=x, state=op.outputs[1], **attributes
    )
    return [times_each(gradient, weights), *others]


@tf.RegisterGradient("Tailops>SelectGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("The gradient of a selection has no derivative of its own here.")
