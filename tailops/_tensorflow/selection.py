"""The op of the selection, and its gradient."""

from typing import Any, NoReturn

import tensorflow as tf

from tailops import reference_selection
from tailops._tensorflow import xla
from tailops._tensorflow.library import library


def select(
    x: tf.Tensor, q: tf.Tensor, method: str, axis: int | None, ignore_nan: bool = False
) -> tf.Tensor:
    """As `reference_selection.select`, in one op; where XLA has none, that."""
    if xla.must_fall_back():
        return reference_selection.select(x, q, method=method, axis=axis, ignore_nan=ignore_nan)
    value, _ = library.tailops_select(
        x=x, q=q, method=method, axis=[] if axis is None else [axis], ignore_nan=ignore_nan
    )
    return value


@tf.RegisterGradient("Tailops>Select")  # type: ignore[untyped-decorator]
def _select_gradient(op: Any, upstream: Any, _: Any) -> list[Any]:
    x = op.inputs[0]
    if not x.dtype.is_floating:
        return [None, None]
    attributes = {name: op.get_attr(name) for name in ("method", "ignore_nan", "axis")}
    gradient = library.tailops_select_grad(
        upstream=upstream, x=x, state=op.outputs[1], **attributes
    )
    return [gradient, None]


@tf.RegisterGradient("Tailops>SelectGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("The gradient of a selection has no derivative of its own here.")
