"""Selections for the CUDA kernels, and what they must give: on the emulation and on a GPU."""

from dataclasses import dataclass

import numpy as np
from families import EXTREME_FAMILIES, FAMILIES, residuals

from tailops import _kernels, kernels

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
QUANTILES = ("linear", "lower", "higher", "nearest", "midpoint", "floor")
QS = (0.0, 0.1, 1 / 3, 0.5, 0.95, 0.99, 1.0)


@dataclass
class Case:
    """An input, and what to select from it."""

    x: np.ndarray
    q: tuple[float, ...] = QS
    method: str = "linear"
    axis: int | None = None
    ignore_nan: bool = False
    weights: np.ndarray | None = None

    @property
    def how(self):
        return {"method": self.method, "axis": self.axis, "ignore_nan": self.ignore_nan}

    @property
    def shape(self):
        return self.x.shape

    def __str__(self):
        weighed = "" if self.weights is None else f" weights of {self.weights.dtype}"
        return f"{self.x.dtype}{self.x.shape} q={self.q} {self.how}{weighed}"

    def garbage(self):
        """Arrays for value and state, full of it."""
        options = _kernels.SelectionOptions(self.method, self.ignore_nan, self.axis)
        geometry = _kernels.SelectionGeometry(list(self.x.shape), options)
        value = np.full((len(self.q), *geometry.group_shape), 77, self.x.dtype)
        state = np.full((geometry.groups, _kernels.SELECTION_COLUMNS * len(self.q)), -77.0)
        return value, state


def check(case, forward, backward=None):
    """Whether value, state and gradient have the bits of the CPU's; zeros have no sign.

    Args:
        case: What to select.
        forward: A function that returns value and state.
        backward: A function of upstream and state that returns the gradient.
    """
    what = str(case)
    value, state = forward()
    expected = kernels.select_forward(case.x, case.q, **case.how, weights=case.weights)
    wide = case.x.dtype if case.x.dtype.kind in "iu" else np.float64
    np.testing.assert_array_equal(
        value.astype(wide), expected.value.astype(wide), err_msg=f"value of {what}"
    )
    # Of 64-bit integers, float64 has no more than their leading bits.
    np.testing.assert_array_equal(state, expected.state, err_msg=f"state of {what}")
    if backward is None:
        return
    upstream = np.random.default_rng(0).uniform(-2, 2, value.shape).astype(case.x.dtype)
    gradient = backward(upstream, state)
    slope = kernels.select_backward(upstream, case.x, expected.state, axis=case.axis)
    np.testing.assert_array_equal(
        gradient.astype(np.float64), slope.astype(np.float64), err_msg=f"gradient of {what}"
    )


def integers(rng, shape, dtype):
    """With both ends of the range, and ties."""
    limits = np.iinfo(dtype)
    x = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    x.flat[:: max(1, x.size // 3)] = rng.choice(np.array([limits.min, limits.max, 0, 1], dtype))
    return x


def random_case(rng, shape, dtypes=(*FLOATS, *INTEGERS)):
    """One of everything, for this shape."""
    dtype = np.dtype(str(rng.choice(dtypes)))
    axis = None if rng.random() < 0.4 else int(rng.integers(-len(shape), len(shape)))
    count = int(rng.choice([1, 1, 2, 3, 5, 9, 17, 40]))
    if dtype.name in INTEGERS:
        length = int(np.prod(shape)) if axis is None else shape[axis]
        q = tuple(float(k) for k in rng.integers(0, length, count))
        method = str(rng.choice(["rank", "rank_from_top"]))
        return Case(integers(rng, shape, dtype), q, method, axis)
    family = str(rng.choice([*FAMILIES, *EXTREME_FAMILIES]))
    x = residuals(family, int(np.prod(shape)), dtype, int(rng.integers(1000))).reshape(shape)
    share = rng.choice([0.0, 0.0, 0.001, 0.3, 1.0])
    x[rng.random(shape) < share] = -np.nan
    q = tuple(float(k) for k in rng.choice([*QS, *rng.random(5)], count))
    return Case(x, q, str(rng.choice(QUANTILES)), axis, bool(rng.integers(2)))
