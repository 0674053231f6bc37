"""The launch paths of unions: what paths.py has of losses and range means, in shares."""

from dataclasses import dataclass, replace

import numpy as np
from paths import LossPath
from selection_paths import RangePath

SEARCH = {"ClearCounts", "CountShare"}
OF_LOSS = SEARCH | {"DescendUnion<RanksOfLoss>", "UnionStates"}
OF_RANGE = SEARCH | {"DescendUnion<RanksOfRange>", "SumShare", "MeansOfUnion"}
ROWS = {"AddRows<RowLosses>", "GridSlopes", "GridBackward<ManyOutputs>", "SlopesOfUnion"}
COLUMNS = {"ColumnLosses", "ColumnSlopes", "ColumnBackward<ManyOutputs>", "SlopesOfUnion"}


@dataclass(frozen=True)
class LossUnionPath(LossPath):
    """`cuts`: where the first axis is cut into shares; `has_nan`: whether one element is."""

    cuts: tuple[int, ...] = ()
    has_nan: bool = False
    gradient: str = "exact"
    method: str = "linear"

    def problem(self, dtype, family="few_values"):
        problem = super().problem(dtype, family)
        problem.options = replace(problem.options, gradient=self.gradient, method=self.method)
        if self.has_nan:
            problem.y_pred.flat[1] = np.nan
        return problem


@dataclass(frozen=True)
class RangeUnionPath(RangePath):
    cuts: tuple[int, ...] = ()


def losses(name, shape, cuts, *kernels, **how):
    how["reduction"] = "none"
    return LossUnionPath(name, shape, frozenset(OF_LOSS.union(*kernels)), cuts=cuts, **how)


def means(name, shape, cuts, *kernels, **how):
    return RangeUnionPath(name, shape, frozenset(OF_RANGE.union(*kernels)), cuts=cuts, **how)


LOSS_UNION_PATHS = [
    losses("union_of_one", (5000,), (), ROWS),
    losses("union_of_three", (20_000,), (1, 9001), ROWS, ignored="mask"),
    losses("union_with_empty_shares", (700, 3), (0, 300, 300), ROWS, ignored="nan"),
    losses("union_of_columns", (900, 40), (200,), COLUMNS, axis=0, method="floor"),
    losses("union_of_long_columns", (9000, 2), (9000,), COLUMNS, axis=0, ignored="value"),
    losses("union_with_nan", (3000, 2), (7, 1500), ROWS, has_nan=True),
    losses("union_without_slopes", (3000,), (1500,), gradient="fixed_weight"),
]

RANGE_UNION_PATHS = [
    means("range_of_a_union", (9000,), (17, 4000), {"RowGradient<RangeGradient>"}, ignored=True),
    means(
        "ranges_of_a_union",
        (900, 7),
        (0, 400),
        {"ColumnGradient<RangeGradient>"},
        axis=0,
        kind="largest",
        bounds=(30.5, 0.0),
    ),
    means("at_least_of_a_union", (5000,), (100,), kind="at_least", bounds=(0.4, 9.0)),
]
