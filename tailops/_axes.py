"""Axes as NumPy has them, brought to the one axis that the kernels take.

One text for all frameworks: `tensors` is a module as `tailops._inputs.Tensors` tells of.
"""

from collections.abc import Iterable
from typing import Any

from tailops._checks import index
from tailops._inputs import Tensors


def _index(tensors: Tensors, value: object) -> int:
    value = tensors.known_axis(value)
    try:
        return index(value)
    except TypeError:
        raise TypeError(
            f"axis={value!r}: must be an integer, a tuple of integers or None"
        ) from None


def _require_in_range(axis: Any, one: int, rank: int, argument: str) -> None:
    if not -rank <= one < rank:
        raise ValueError(
            f"axis={axis!r}: must be in [{-rank}, {rank}) for {argument} of {rank} dimension(s)"
        )


def reduced_axes(tensors: Tensors, axis: Any, rank: int, argument: str = "x") -> list[int]:
    """The axes in ascending order, counted from the front.

    Args:
        tensors: The framework's.
        axis: As NumPy has it, or a tensor that is known.
        rank: Of the tensor that has them.
        argument: The name of that, for errors.

    Raises:
        TypeError: They are not integers, or tensors whose value is not known yet.
        ValueError: One is out of range, or there twice.
    """
    if axis is None:
        return list(range(rank))
    axis = tensors.known_axis(axis)
    several = isinstance(axis, Iterable) and not isinstance(axis, str)
    given = [_index(tensors, a) for a in axis] if several else [_index(tensors, axis)]
    for a in given:
        _require_in_range(axis, a, rank, argument)
    axes = sorted(a % rank for a in given)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis={axis!r}: an axis is there twice")
    return axes


def index_of_axis(tensors: Tensors, axis: Any, rank: int | None, argument: str) -> int:
    """One axis, as it is given: from the front or from the back.

    Args:
        tensors: The framework's.
        axis: An integer, or a tensor that is known.
        rank: Of the tensor that has it; None: not known.
        argument: The name of that, for errors.

    Raises:
        TypeError: It is no integer.
        ValueError: It is out of range.
    """
    try:
        found = index(tensors.known_axis(axis))
    except TypeError:
        raise TypeError(f"axis={axis!r}: must be an integer") from None
    if rank is not None:
        _require_in_range(axis, found, rank, argument)
    return found


def _apart(axes: list[int]) -> bool:
    """Whether others lie between them."""
    return axes[-1] - axes[0] >= len(axes)


def _to_the_back(axes: list[int], rank: int) -> list[int]:
    return [*(a for a in range(rank) if a not in axes), *axes]


def as_one_axis(tensors: Tensors, x: Any, axes: list[int]) -> tuple[Any, int | None]:
    """The tensor with these axes made one, and which; None: all of it."""
    rank = len(x.shape)
    if len(axes) == rank:
        return x, None
    if not axes:
        return tensors.expand_dims(x, -1), rank
    if len(axes) == 1:
        return x, axes[0]
    first, last = axes[0], axes[-1]
    if _apart(axes):
        x = tensors.transpose(x, _to_the_back(axes, rank))
        first, last = rank - len(axes), rank - 1
    shape = tensors.sizes(x)
    merged = 1
    for size in shape[first : last + 1]:
        merged = merged * size
    return tensors.reshape(x, [*shape[:first], merged, *shape[last + 1 :]]), first


def as_given(tensors: Tensors, value: Any, x: Any, axes: list[int]) -> Any:
    """What was computed of each element of `as_one_axis(tensors, x, axes)`, in x's shape."""
    rank = len(x.shape)
    if len(axes) in (1, rank):
        return value
    shape = tensors.sizes(x)
    if not axes or not _apart(axes):
        return tensors.reshape(value, shape)
    order = _to_the_back(axes, rank)
    value = tensors.reshape(value, [shape[a] for a in order])
    return tensors.transpose(value, [order.index(a) for a in range(rank)])


def with_kept_axes(tensors: Tensors, value: Any, axes: list[int], before: int) -> Any:
    """The reduced axes put back with size 1, after the first `before` dimensions."""
    for axis in axes:
        value = tensors.expand_dims(value, before + axis)
    return value


def shape_of_groups(shape: tuple[Any, ...], axis: int | None) -> tuple[Any, ...]:
    """Without the axis that groups are along; where it is None, all is one group."""
    if axis is None:
        return ()
    along = axis % len(shape)
    return shape[:along] + shape[along + 1 :]
