"""The state: what a forward pass leaves for its backward pass. One format, on whatever array.

A row for each group, of float64, which holds every compute type exactly. Its columns:

- threshold: t
- lower, upper: the order statistics that make it; elements equal to them share its gradient,
- lower_weight, upper_weight: so much of it, nothing for the upper one where both are equal,
- lower_ties, upper_ties: and are so many
- threshold_gradient: Σ ∂ℓ/∂t of all others, where one number arrives for the whole group
- valid: how many of the group's elements are not ignored

The same bytes everywhere: `tailops.cuda` and TensorFlow's op have the rows, (groups, columns) of
float64. `tailops.kernels` has NumPy's view of them as records, a vector of `STATE`, of which
`state["threshold"]` is a column. JAX, which has float64 in its x64 mode only, has each number as
two uint32, (groups, 2 · columns). `tailops.kernels.backward` takes any of them.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailops import _kernels

STATE = np.dtype([(name, np.float64) for name in _kernels.STATE_NAMES])


def rows(groups: int) -> tuple[int, int]:
    """The shape of the state in float64."""
    return groups, _kernels.STATE_COLUMNS


def words(groups: int) -> tuple[int, int]:
    """The shape of the state in uint32."""
    return groups, 2 * _kernels.STATE_COLUMNS


def records(state: NDArray[Any], groups: int) -> NDArray[np.void]:
    """The state of so many groups as records of `STATE`; ValueError if it is not one.

    Example:
        >>> records(np.ones(rows(2)), 2)["valid"].tolist()
        [1.0, 1.0]
    """
    shapes = {"float64": rows(groups), "uint32": words(groups)}
    expected = (groups,) if state.dtype == STATE else shapes.get(state.dtype.name)
    if state.shape != expected:
        raise ValueError(
            f"state is {state.dtype.name}{state.shape}: must be what forward returned for these "
            f"inputs, float64{rows(groups)} or records of them"
        )
    return np.ascontiguousarray(state).view(STATE).reshape(groups)
