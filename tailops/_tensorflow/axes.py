"""Axes as NumPy has them, brought to the one axis that the selection takes."""

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf


def _known(axis: Any) -> Any:
    """What a tensor or an array holds, as Python has it; all else as it is."""
    if isinstance(axis, tf.Tensor | tf.Variable):
        axis = tf.get_static_value(tf.convert_to_tensor(axis))
        if axis is None:
            raise TypeError(
                "axis is a tensor that only run time knows: must be an integer, a tuple of "
                "integers or None"
            )
    return axis.tolist() if isinstance(axis, np.ndarray | np.generic) else axis


def _index(value: object) -> int:
    value = _known(value)
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"axis={value!r}: must be an integer, a tuple of integers or None"
        ) from None


def reduced_axes(axis: Any, rank: int) -> list[int]:
    """The axes in ascending order, counted from the front.

    Raises:
        TypeError: They are not integers, or tensors whose value is not known yet.
        ValueError: One is out of range, or there twice.
    """
    if axis is None:
        return list(range(rank))
    axis = _known(axis)
    given = [_index(a) for a in axis] if isinstance(axis, Iterable) else [_index(axis)]
    for a in given:
        if not -rank <= a < rank:
            raise ValueError(
                f"axis={axis!r}: must be in [{-rank}, {rank}) for x of {rank} dimension(s)"
            )
    axes = sorted(a % rank for a in given)
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis={axis!r}: an axis is there twice")
    return axes


def as_one_axis(x: tf.Tensor, axes: list[int]) -> tuple[tf.Tensor, int | None]:
    """The tensor with these axes made one, and which; None: all of it."""
    rank = x.shape.rank
    if len(axes) == rank:
        return x, None
    if not axes:
        return tf.expand_dims(x, -1), rank
    if len(axes) == 1:
        return x, axes[0]
    first, last = axes[0], axes[-1]
    if last - first >= len(axes):  # others lie between them
        others = [a for a in range(rank) if a not in axes]
        x = tf.transpose(x, [*others, *axes])
        first, last = len(others), rank - 1
    shape = [x.shape[i] if x.shape[i] is not None else tf.shape(x)[i] for i in range(rank)]
    merged = 1
    for size in shape[first : last + 1]:
        merged = merged * size
    return tf.reshape(x, [*shape[:first], merged, *shape[last + 1 :]]), first


def with_kept_axes(value: tf.Tensor, axes: list[int], before: int) -> tf.Tensor:
    """The reduced axes put back with size 1, after the first `before` dimensions."""
    for axis in axes:
        value = tf.expand_dims(value, before + axis)
    return value
