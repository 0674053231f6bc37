"""What a baseline is handed, and what it says of itself before it is."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from bench.case import Contestant

Array = np.ndarray[Any, Any]


def installed(module: str) -> bool:
    """Whether it can be imported."""
    return importlib.util.find_spec(module) is not None


@dataclass(frozen=True)
class LossTask:
    """The mean of the published loss, with its gradient or without, which is of the whole function.

    Attributes:
        y_true: Targets.
        y_pred: Predictions.
        gradient: Whether it is wanted.
        axis: Along which there is a threshold for each slice; None: one for all.
    """

    y_true: Array
    y_pred: Array
    gradient: bool
    axis: int | None = None

    @cached_property
    def tensors(self) -> tuple[Any, ...]:
        """The arrays in TensorFlow: the same for everybody there."""
        import tensorflow as tf

        return tf.constant(self.y_true), tf.constant(self.y_pred)


@dataclass(frozen=True)
class SelectionTask:
    """The element of a rank of every row.

    Attributes:
        x: Rows.
        rank: Which, from 0 on.
    """

    x: Array
    rank: int

    @cached_property
    def tensors(self) -> tuple[Any, ...]:
        """The rows in TensorFlow: the same for everybody there."""
        import tensorflow as tf

        return (tf.constant(self.x),)


@dataclass(frozen=True)
class TailTask:
    """The mean of the k largest values, with its gradient or without.

    Attributes:
        values: One per pixel.
        k: How many.
        gradient: Whether it is wanted.
    """

    values: Array
    k: int
    gradient: bool

    @cached_property
    def tensors(self) -> tuple[Any, ...]:
        """The values in TensorFlow: the same for everybody there."""
        import tensorflow as tf

        return (tf.constant(self.values),)


class Kind(NamedTuple):
    """What decides about who can do it.

    Attributes:
        dtype: The elements' type.
        axis: Of the threshold; None: one for all.
    """

    dtype: str
    axis: int | None = None


def anything(_: Kind) -> bool:
    """For who can do everything."""
    return True


Task = TypeVar("Task")


class Baseline(NamedTuple, Generic[Task]):
    """Who can be timed.

    Attributes:
        make: Makes the contestant of a task.
        can: Whether it can do tasks of a kind.
    """

    make: Callable[[Task], Contestant]
    can: Callable[[Kind], bool] = anything


def as_tuple(found: Any) -> tuple[Any, ...]:
    """Of one array or several."""
    return tuple(found) if isinstance(found, tuple | list) else (found,)
