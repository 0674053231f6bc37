"""The groups of an array, whose sizes Keras and `jax.export` may not all know yet."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from tailops._axes import shape_of_groups


class Groups(NamedTuple):
    """What selects by itself."""

    shape: tuple[Any, ...]
    """That of the array without the axis."""
    count: Any


def groups_of(
    shape: tuple[Any, ...], axis: int | None, require: Callable[[list[int]], Any]
) -> Groups:
    """The groups along an axis.

    Args:
        shape: Of the array.
        axis: Along which; None: all of it is one.
        require: Raises ValueError for a shape of which there are none.
    """
    require([size if isinstance(size, int) else 1 for size in shape])
    of_groups = shape_of_groups(tuple(shape), axis)
    return Groups(of_groups, math.prod(of_groups))
