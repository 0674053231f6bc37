"""The launch paths of selection and range means: what paths.py has of the loss."""

from dataclasses import dataclass

import numpy as np
from paths import FLOATS
from problems import with_residuals
from range_means import Case as RangeCase
from selections import QS, Case, integers
from weighted import random, weighed


@dataclass(frozen=True)
class SelectionPath:
    """`weights`: of which type, if there are any."""

    name: str
    shape: tuple[int, ...]
    kernels: frozenset[str]
    q: tuple[float, ...] = QS
    method: str = "linear"
    axis: int | None = None
    ignore_nan: bool = False
    weights: str = ""
    dtypes: tuple[str, ...] = FLOATS

    def __str__(self):
        return self.name

    def case(self, dtype):
        rng = np.random.default_rng(0)
        if self.dtypes is not FLOATS:
            x = integers(rng, self.shape, dtype)
        else:
            x = with_residuals("few_values", self.shape, np.dtype(dtype))[1]
            x.flat[rng.integers(x.size)] = np.nan
        case = Case(x, self.q, self.method, self.axis, self.ignore_nan)
        return weighed(case, random, rng, self.weights) if self.weights else case


def digits(task):
    return {f"ClearDigits<{task}><Once>", f"CountDigits<{task}><Once>"}


def digits_by_weight(task):
    steps = "ClearDigits", "LargestWeight", "CountDigits"
    return {f"{step}<{task}><ByWeight>" for step in steps}


DIGITS, BY_WEIGHT = digits("SelectionDigits"), digits_by_weight("SelectionDigits")
IN_GROUPS = "SelectInGroups<SelectionInGroups>"
ROW_GRADIENT = "RowGradient<SelectionGradient>"
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def selection(name, shape, *kernels, **how):
    return SelectionPath(name, shape, frozenset(kernels), **how)


SELECTION_PATHS = [
    selection("in_a_block", (5000,), IN_GROUPS, ROW_GRADIENT),
    selection("in_blocks", (20, 700), IN_GROUPS, axis=1, ignore_nan=True),
    selection("columns_together", (90, 70), IN_GROUPS, "ColumnGradient<SelectionGradient>", axis=0),
    selection("a_column_each", (400, 3), IN_GROUPS, axis=0, method="nearest"),
    selection("by_digits", (17_000,), *DIGITS, ROW_GRADIENT, q=(0.5,), method="lower"),
    selection("by_digits_interpolated", (3, 17_000), *DIGITS, axis=1, q=(0.01, 0.5, 0.99)),
    selection("columns_by_digits", (17_000, 2), *DIGITS, axis=0, q=(0.5,), ignore_nan=True),
    selection(
        "many_q_by_digits",
        (17_000,),
        *DIGITS,
        "StoreRanks",
        q=tuple(np.random.default_rng(0).random(40)),
    ),
    selection(
        "integers_in_blocks",
        (20, 700),
        IN_GROUPS,
        axis=1,
        q=(0.0, 9.0, 699.0),
        method="rank",
        dtypes=INTEGERS,
    ),
    selection(
        "integers_by_digits",
        (17_000,),
        *DIGITS,
        q=(0.0, 9.0, 16_999.0),
        method="rank_from_top",
        dtypes=INTEGERS,
    ),
    selection(
        "by_weights", (3000,), *BY_WEIGHT, ROW_GRADIENT, method="inverted_cdf", weights="float64"
    ),
    selection(
        "more_rows_by_weights_than_at_once",
        (18, 500),
        *BY_WEIGHT,
        axis=1,
        q=(0.1, 0.9),
        method="floor",
        ignore_nan=True,
        weights="float32",
    ),
    selection(
        "columns_by_weights",
        (700, 3),
        *BY_WEIGHT,
        "StoreRanks",
        axis=0,
        q=tuple(np.random.default_rng(0).random(40)),
        method="inverted_cdf",
        weights="float32",
    ),
    selection(
        "integers_by_weights",
        (3000,),
        *BY_WEIGHT,
        method="inverted_cdf",
        weights="float32",
        dtypes=INTEGERS,
    ),
]


@dataclass(frozen=True)
class RangePath:
    """`ignored`: whether some elements are, by a mask. `weights`: of which type, if any."""

    name: str
    shape: tuple[int, ...]
    kernels: frozenset[str]
    kind: str = "between"
    bounds: tuple[float, float] = (0.2, 0.9)
    axis: int | None = None
    ignored: bool = False
    weights: str = ""
    on_device: bool = False
    dtypes: tuple[str, ...] = FLOATS

    def __str__(self):
        return self.name

    def case(self, dtype, family="few_values"):
        """Ties, and as many ignored as not."""
        values = with_residuals(family, self.shape, np.dtype(dtype))[1]
        mask = np.random.default_rng(0).random(self.shape) < 0.6 if self.ignored else None
        case = RangeCase(values, self.kind, self.bounds, self.axis, mask)
        rng = np.random.default_rng(1)
        return weighed(case, random, rng, self.weights) if self.weights else case


RANGE_IN_GROUPS = "SelectInGroups<RangeInGroups>"
RANGE_DIGITS, RANGE_BY_WEIGHT = digits("RangeDigits"), digits_by_weight("RangeDigits")
RANGE_ROWS, RANGE_COLUMNS = "RowGradient<RangeGradient>", "ColumnGradient<RangeGradient>"


def range_of(name, shape, *kernels, **how):
    return RangePath(name, shape, frozenset(kernels), **how)


RANGE_PATHS = [
    range_of("range_in_a_block", (5000,), RANGE_IN_GROUPS, RANGE_ROWS),
    range_of(
        "largest_in_blocks",
        (20, 700),
        RANGE_IN_GROUPS,
        RANGE_ROWS,
        kind="largest",
        bounds=(30.5, 0.0),
        axis=1,
        ignored=True,
        on_device=True,
    ),
    range_of(
        "columns_together_at_least",
        (90, 70),
        RANGE_IN_GROUPS,
        RANGE_COLUMNS,
        kind="at_least",
        bounds=(0.4, 9.0),
        axis=0,
        ignored=True,
    ),
    range_of("a_range_of_a_column_each", (400, 3), RANGE_IN_GROUPS, RANGE_COLUMNS, axis=0),
    # More than a block has shared memory for.
    range_of(
        "range_in_blocks_that_read_again",
        (8, 21_000),
        RANGE_IN_GROUPS,
        axis=1,
        ignored=True,
        dtypes=("float64",),
    ),
    range_of("range_by_digits", (17_000,), *RANGE_DIGITS, RANGE_ROWS, bounds=(0.3, 1.0)),
    range_of("ranges_by_digits", (3, 17_000), *RANGE_DIGITS, axis=1, ignored=True, on_device=True),
    range_of(
        "at_least_by_digits",
        (17_000,),
        *RANGE_DIGITS,
        kind="at_least",
        bounds=(0.4, 900.0),
        ignored=True,
    ),
    range_of(
        "columns_of_ranges_by_digits",
        (17_000, 2),
        *RANGE_DIGITS,
        RANGE_COLUMNS,
        kind="largest",
        bounds=(70.25, 0.0),
        axis=0,
    ),
    range_of("range_by_weights", (3000,), *RANGE_BY_WEIGHT, RANGE_ROWS, weights="float32"),
    range_of(
        "columns_of_ranges_by_weights",
        (700, 18),
        *RANGE_BY_WEIGHT,
        RANGE_COLUMNS,
        axis=0,
        weights="float64",
        on_device=True,
    ),
]
