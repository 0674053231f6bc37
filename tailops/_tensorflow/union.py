"""Tail losses and range means of the union of all replicas' shares: the ops, between collectives.

On CPUs and GPUs: there are no kernels for XLA, and TensorFlow says so.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import tensorflow as tf

from tailops import _kernels, _synchronized
from tailops._inputs import Inputs, as_inputs
from tailops._options import TailOptions
from tailops._synchronized import AllReduce
from tailops._tensorflow import tensors
from tailops._tensorflow.attributes import attributes_of, masks_of, numbers_of
from tailops._tensorflow.library import library


def _some(array: Any) -> list[Any]:
    return [] if array is None else [array]


class _Search:
    """What a search needs to know, for `_synchronized.Search`."""

    def __init__(self, y_true: Any, y_pred: Any, mask: Any, options: TailOptions) -> None:
        self.y_true, self.y_pred, self.mask, self.options = y_true, y_pred, mask, options
        self.dtype = y_pred.dtype
        self.rounds = _kernels.union_rounds(64 if self.dtype == tf.float64 else 32)
        self.attributes = attributes_of(options)

    def _counts(self, number: int, search: Any, targets: int) -> tf.Tensor:
        return library.tailops_union_histogram(
            y_true=self.y_true,
            y_pred=self.y_pred,
            mask=masks_of(self.mask),
            search=_some(search),
            round=number,
            targets=targets,
            **self.attributes,
        )


class TailSteps(_Search):
    """`_synchronized.TailSteps` by the ops."""

    def __init__(self, y_true: Any, y_pred: Any, mask: Any, options: TailOptions) -> None:
        super().__init__(y_true, y_pred, mask, options)
        self.exact = options.gradient == "exact"
        self.numbers = numbers_of(options)

    def of_share(self) -> dict[str, Any]:
        """What an op of elements and their groups' states is given besides those."""
        return {
            "y_true": self.y_true,
            "y_pred": self.y_pred,
            "mask": masks_of(self.mask),
            "numbers": self.numbers,
            **self.attributes,
        }

    def counts(self, number: int, search: Any) -> tf.Tensor:
        return self._counts(
            number, search, _kernels.union_targets(self.options.known().for_kernels())
        )

    def descend(self, number: int, counts: Any, search: Any) -> tf.Tensor:
        return library.tailops_union_descend(
            counts=counts,
            search=_some(search),
            numbers=self.numbers,
            round=number,
            T=self.dtype,
            **self.attributes,
        )

    def state(self, search: Any) -> tf.Tensor:
        return library.tailops_union_state(
            search=search, numbers=self.numbers, T=self.dtype, **self.attributes
        )

    def losses(self, state: Any) -> tf.Tensor:
        return library.tailops_union_tail_loss(state=state, **self.of_share())

    def slopes(self, upstream: Any, state: Any) -> tf.Tensor:
        return library.tailops_union_slopes(upstream=upstream, state=state, **self.of_share())

    def gradient(self, upstream: Any, state: Any, slopes: Any) -> tf.Tensor:
        return library.tailops_union_tail_loss_grad(
            upstream=upstream, state=state, slopes=_some(slopes), **self.of_share()
        )


class _RangeSteps(_Search):
    """`_synchronized.RangeSteps` by the ops."""

    def __init__(self, values: Any, bounds: Any, kind: str, axis: int | None, mask: Any) -> None:
        super().__init__(values, values, mask, TailOptions(error="value", axis=axis))
        self.bounds, self.kind = bounds, kind
        self.range = {"kind": kind, "axis": [] if axis is None else [axis]}

    def counts(self, number: int, search: Any) -> tf.Tensor:
        return self._counts(number, search, _kernels.range_targets(self.kind))

    def descend(self, number: int, counts: Any, search: Any) -> tf.Tensor:
        return library.tailops_union_range_descend(
            counts=counts,
            bounds=self.bounds,
            search=_some(search),
            round=number,
            T=self.dtype,
            **self.range,
        )

    def sums(self, search: Any) -> tf.Tensor:
        return library.tailops_union_range_sums(
            values=self.y_pred,
            bounds=self.bounds,
            search=search,
            mask=masks_of(self.mask),
            **self.range,
        )

    def mean(self, search: Any, sums: Any) -> tuple[tf.Tensor, tf.Tensor]:
        found: tuple[tf.Tensor, tf.Tensor] = library.tailops_union_range_mean(
            values=self.y_pred, bounds=self.bounds, search=search, sums=sums, **self.range
        )
        return found

    def total(self, upstream: Any, all_reduce: AllReduce) -> tf.Tensor:
        return tf.cast(all_reduce(tf.cast(upstream, tf.float64)), upstream.dtype)

    def gradient(self, upstream: Any, state: Any) -> tf.Tensor:
        return library.tailops_union_range_grad(
            upstream=upstream,
            values=self.y_pred,
            state=state,
            mask=masks_of(self.mask),
            **self.range,
        )


def tail_loss(
    y_true: Any, y_pred: Any, options: TailOptions, *, mask: Any = None, all_reduce: AllReduce
) -> tf.Tensor:
    """The losses of a share, by the thresholds of the union of all replicas' shares.

    Args:
        y_true: The share's targets; as for `tailops.ops.tail_loss`, but it may be empty.
        y_pred: The share's predictions. Along the axis, or where that is None along any,
            replicas may have different sizes, and one of them none at all.
        options: What to compute, the same on all replicas.
        mask: True where an element counts. None: all count.
        all_reduce: A function of a tensor of int64 or float64: the sum of all replicas' ones.
            Every replica calls it as often, in the same order.

    Returns:
        The loss of each element, of y_pred's shape and dtype.

    Raises:
        TypeError: y_pred is not floating, or y_true is not real.
        ValueError: Shapes differ, or there is no such axis.
    """
    return of_share(as_inputs(tensors, y_true, y_pred, options, mask), all_reduce)


def of_share(inputs: Inputs, all_reduce: AllReduce) -> tf.Tensor:
    """The same of inputs that are checked."""
    chosen = inputs.options

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def losses_of(targets: Any, predictions: Any) -> tuple[Any, Callable[[Any], Any]]:
        steps = TailSteps(targets, predictions, inputs.mask, chosen)
        losses, state = _synchronized.tail_forward(steps, all_reduce)

        def gradient(upstream: Any) -> tuple[Any, Any]:
            slope = _synchronized.tail_backward(steps, upstream, state, all_reduce)
            return -slope if chosen.reads_targets else None, slope

        return losses, gradient

    return losses_of(inputs.y_true, inputs.y_pred)


def range_mean(
    values: tf.Tensor,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
    *,
    all_reduce: AllReduce,
) -> tf.Tensor:
    """The range means of the union of all replicas' shares, on every replica.

    What arrives at them on all replicas is added up: the gradient is that of the sum of all
    replicas' results.

    Args:
        values: The share's, floating; it may be empty along the axis.
        bounds: As for `tailops.reference_range_mean.range_mean`; the same on all replicas.
        kind: Of the bounds.
        axis: Along which the groups are; None: all elements are one.
        mask: True where an element counts; None: all do.
        all_reduce: As for `tail_loss`.

    Returns:
        Of values' dtype and shape without the axis.

    Raises:
        tf.errors.InvalidArgumentError: The union has no such range; on all replicas. On a GPU,
            where it would have to wait, the group is NaN instead.
    """
    numbers = tf.convert_to_tensor(bounds, tf.float64)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def mean_of(share: Any) -> tuple[Any, Callable[[Any], Any]]:
        steps = _RangeSteps(share, numbers, kind, axis, mask)
        mean, state = _synchronized.range_forward(steps, all_reduce)

        def gradient(upstream: Any) -> Any:
            return _synchronized.range_backward(steps, upstream, state, all_reduce)

        return mean, gradient

    return mean_of(values)


def range_weights(
    values: tf.Tensor,
    bounds: Any,
    kind: str,
    axis: int | None,
    mask: tf.Tensor | None = None,
    *,
    all_reduce: AllReduce,
) -> tf.Tensor:
    """The weights of a share's elements in the union's range means; constants themselves.

    Args:
        values: As for `range_mean`.
        bounds: As for `range_mean`.
        kind: As for `range_mean`.
        axis: As for `range_mean`.
        mask: As for `range_mean`.
        all_reduce: As for `range_mean`.

    Returns:
        Of values' shape and dtype. Those of a group add up to 1 over all replicas.

    Raises:
        tf.errors.InvalidArgumentError: As `range_mean`.
    """
    share = tf.stop_gradient(values)
    steps = _RangeSteps(share, tf.convert_to_tensor(bounds, tf.float64), kind, axis, mask)
    mean, state = _synchronized.range_forward(steps, all_reduce)
    return tf.stop_gradient(steps.gradient(tf.ones_like(mean), state))


@tf.RegisterGradient("Tailops>UnionSlopes")  # type: ignore[untyped-decorator]
@tf.RegisterGradient("Tailops>UnionTailLossGrad")  # type: ignore[untyped-decorator]
@tf.RegisterGradient("Tailops>UnionRangeGrad")  # type: ignore[untyped-decorator]
def _no_second_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("What replicas have one threshold for has no second derivative.")
