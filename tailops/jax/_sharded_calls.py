"""Tail losses and range means as calls that are split with the array that they are of."""

from dataclasses import dataclass
from typing import Any

from tailops import _synchronized
from tailops._axes import shape_of_groups
from tailops._options import TailOptions
from tailops.jax import _custom_calls, _range_calls
from tailops.jax._partitioned import ELEMENTS, GROUPS, STATES, WHOLE, Call
from tailops.jax._shards import Names
from tailops.jax._union import all_reduce
from tailops.jax._union_calls import RangeSteps, TailSteps

Arrays = tuple[Any, ...]


def _by_group(state: Any, shape: tuple[int, ...], axis: int | None) -> Any:
    """A row of a state in the place of its group, of which each dimension may be split."""
    return state.reshape(*shape_of_groups(shape, axis), state.shape[-1])


def _rows(state: Any) -> Any:
    return state.reshape(-1, state.shape[-1])


@dataclass(frozen=True)
class Options:
    """Those of a loss.

    Attributes:
        known: All of them, but for numbers that are an operand.
        is_scheduled: Whether those are.
    """

    known: TailOptions
    is_scheduled: bool

    def numbers(self, given: Any) -> Arrays:
        """Of the operand, a tuple of one or none."""
        return (given,) if self.is_scheduled else ()


def _losses(
    axis: int | None, options: Options, y_true: Any, y_pred: Any, numbers: Any, *mask: Any
) -> Arrays:
    losses, state = _custom_calls.forward(
        y_true, y_pred, options.numbers(numbers), mask, options.known, "none"
    )
    return losses, _by_group(state, y_pred.shape, axis)


def _losses_of_share(
    axis: int | None,
    options: Options,
    names: Names,
    y_true: Any,
    y_pred: Any,
    numbers: Any,
    *mask: Any,
) -> Arrays:
    steps = TailSteps(y_true, y_pred, options.numbers(numbers), mask, options.known)
    losses, state = _synchronized.tail_forward(steps, all_reduce(names))
    return losses, _by_group(state, y_pred.shape, axis)


losses = Call(_losses, _losses_of_share, (ELEMENTS, ELEMENTS, WHOLE), (ELEMENTS, STATES), main=1)
"""Of y_true, y_pred, numbers and maybe a mask: each element's loss, and the state for `slopes`."""


def _slopes(
    _: int | None,
    options: Options,
    upstream: Any,
    y_true: Any,
    y_pred: Any,
    numbers: Any,
    state: Any,
    *mask: Any,
) -> Arrays:
    given = options.numbers(numbers)
    return (
        _custom_calls.backward(
            upstream, y_true, y_pred, given, mask, _rows(state), options.known, "none"
        ),
    )


def _slopes_of_share(
    _: int | None,
    options: Options,
    names: Names,
    upstream: Any,
    y_true: Any,
    y_pred: Any,
    numbers: Any,
    state: Any,
    *mask: Any,
) -> Arrays:
    steps = TailSteps(y_true, y_pred, options.numbers(numbers), mask, options.known)
    return (_synchronized.tail_backward(steps, upstream, _rows(state), all_reduce(names)),)


slopes = Call(
    _slopes,
    _slopes_of_share,
    (ELEMENTS, ELEMENTS, ELEMENTS, WHOLE, STATES),
    (ELEMENTS,),
    main=2,
)
"""Of what arrives at the losses, y_true, y_pred, numbers, the state and maybe a mask: by y_pred."""


def _means(axis: int | None, kind: str, values: Any, words: Any, *mask: Any) -> Arrays:
    mean, state = _range_calls.forward(values, words, mask, kind, axis)
    return mean, _by_group(state, values.shape, axis)


def _means_of_share(
    axis: int | None, kind: str, names: Names, values: Any, words: Any, *mask: Any
) -> Arrays:
    steps = RangeSteps(values, words, mask, kind, axis, True)
    mean, state = _synchronized.range_forward(steps, all_reduce(names))
    return mean, _by_group(state, values.shape, axis)


means = Call(_means, _means_of_share, (ELEMENTS, WHOLE), (GROUPS, STATES), main=0)
"""Of values, bounds and maybe a mask: the mean of each group, and the state for its slopes."""


def _mean_slopes(
    axis: int | None, kind: str, upstream: Any, values: Any, state: Any, *mask: Any
) -> Arrays:
    return (_range_calls.backward(upstream, values, _rows(state), mask, kind, axis),)


def _mean_slopes_of_share(
    axis: int | None, kind: str, _: Names, upstream: Any, values: Any, state: Any, *mask: Any
) -> Arrays:
    # What arrives at a mean is there on every device, and so is its state: nothing to add up.
    return _mean_slopes(axis, kind, upstream, values, state, *mask)


mean_slopes = Call(
    _mean_slopes, _mean_slopes_of_share, (GROUPS, ELEMENTS, STATES), (ELEMENTS,), main=1
)
"""Of what arrives at the means, values, the state and maybe a mask: by the values."""
