"""The launch paths of the loss: a small problem of each, and its kernels.

Which way a call goes is decided by its shape, its options and the device, here of four
multiprocessors, never by the data: see docs/gpu.md.
"""

from dataclasses import dataclass, replace

import numpy as np
from problems import IGNORED_VALUE, Problem, with_residuals

from tailops._options import TailOptions

FLOATS = ("float32", "float64", "float16", "bfloat16")

ONE, MANY = "<OneOutput>", "<ManyOutputs>"
LANES, WARP, BLOCK = "<TileTeam>", "<WarpTeam>", "<BlockTeam>"
GRID = {"FindBracket", "Collect", "Descend"}


@dataclass(frozen=True)
class LossPath:
    """`ignored`: by what rule some elements are, if any. `family`: what it needs to be taken."""

    name: str
    shape: tuple[int, ...]
    kernels: frozenset[str]
    axis: int | None = None
    reduction: str = "mean"
    selection: str = "auto"
    percentile: float = 0.9
    ignored: str = ""
    family: str = ""
    dtypes: tuple[str, ...] = FLOATS

    def __str__(self):
        return self.name

    def problem(self, dtype, family="few_values"):
        """Ties, elements near the threshold and far from it, and as many ignored as not."""
        y_true, y_pred = with_residuals(self.family or family, self.shape, np.dtype(dtype))
        options = TailOptions(self.percentile, 7.0, 3.0, 0.3, axis=self.axis, method="linear")
        problem = Problem(y_true, y_pred, options, self.reduction, selection=self.selection)
        ignored = np.random.default_rng(0).random(self.shape) < 0.4
        if self.ignored == "mask":
            problem.mask = ~ignored
        elif self.ignored == "value":
            problem.y_true[ignored] = IGNORED_VALUE
            problem.options = replace(options, ignore_value=IGNORED_VALUE)
        elif self.ignored == "nan":
            problem.y_pred[ignored] = np.nan
            problem.options = replace(options, ignore_nan=True)
        return problem


def loss(name, shape, *kernels, **how):
    return LossPath(name, shape, frozenset(kernels), **how)


def grid(name, shape, *kernels, **how):
    return loss(name, shape, *GRID, *kernels, **how)


LOSS_PATHS = [
    # Groups of some lanes, a warp, a block.
    loss(
        "lanes",
        (300, 7),
        f"GroupForward{LANES}{ONE}",
        "GroupTotals",
        f"GroupBackward{LANES}{ONE}",
        axis=1,
    ),
    loss(
        "lanes_each",
        (300, 7),
        f"GroupForward{LANES}{MANY}",
        f"GroupBackward{LANES}{MANY}",
        axis=1,
        reduction="none",
    ),
    loss(
        "warps",
        (40, 300),
        f"GroupForward{WARP}{ONE}",
        "GroupTotals",
        f"GroupBackward{WARP}{ONE}",
        axis=1,
        percentile=0.99,
    ),
    loss(
        "warps_by_digits",
        (40, 300),
        f"GroupForward{WARP}{ONE}",
        "GroupTotals",
        axis=1,
        percentile=0.4,
    ),
    loss(
        "warps_each",
        (40, 300),
        f"GroupForward{WARP}{MANY}",
        f"GroupBackward{WARP}{MANY}",
        axis=1,
        reduction="per_sample",
    ),
    loss("one_warp", (100,), f"GroupForward{WARP}{ONE}", f"GridBackward{ONE}"),
    loss("one_block", (5000,), f"GroupForward{BLOCK}{ONE}", f"GridBackward{ONE}"),
    loss(
        "one_block_each",
        (5000,),
        f"GroupForward{BLOCK}{MANY}",
        f"GroupBackward{BLOCK}{MANY}",
        reduction="none",
    ),
    loss("blocks", (9, 3000), f"GroupForward{BLOCK}{ONE}", f"GroupBackward{BLOCK}{ONE}", axis=1),
    # More than a block has shared memory for.
    loss(
        "blocks_that_compute_again",
        (8, 21_000),
        f"GroupForward{BLOCK}{ONE}",
        f"GroupBackward{BLOCK}{ONE}",
        axis=1,
        dtypes=("float64",),
    ),
    # Few and large groups.
    grid("grid", (17_000,), "Finish", f"GridBackward{ONE}"),
    grid(
        "grid_each",
        (17_000,),
        "AddRows<RowLosses>",
        "GridSlopes",
        f"GridBackward{MANY}",
        reduction="none",
    ),
    grid("grids", (3, 17_000), "Finish", "GroupTotals", f"GridBackward{ONE}", axis=1),
    # A sample of more than one block's: of 4 bytes an element, twice as many are enough for it.
    *(
        grid(name, shape, "Draw", "Finish", percentile=0.5, dtypes=dtypes)
        for name, shape, dtypes in (
            ("grid_of_a_drawn_sample", (300_000,), ("float64",)),
            ("large_grid_of_a_drawn_sample", (600_000,), ("float32", "float16", "bfloat16")),
        )
    ),
    *(
        grid(f"grid_{way}", (3000,), "Finish", selection=way)
        for way in ("sampled", "miss", "radix")
    ),
    # Of what the bracket holds, most is equal.
    grid("grid_of_ties", (480_000,), "Finish", percentile=0.875, family="tied_in_the_tail"),
    # Columns.
    loss(
        "columns", (100, 40), f"ColumnForward{ONE}", "GroupTotals", f"ColumnBackward{ONE}", axis=0
    ),
    # A warp does several.
    loss("wide_tiles", (100, 300), f"ColumnForward{ONE}", axis=0, percentile=0.99),
    loss(
        "columns_each",
        (5, 90, 7),
        f"ColumnForward{MANY}",
        "ColumnLosses",
        "ColumnSlopes",
        f"ColumnBackward{MANY}",
        axis=1,
        reduction="none",
    ),
    loss("long_columns", (5400, 8), f"GroupForward{BLOCK}{ONE}", f"ColumnBackward{ONE}", axis=0),
    loss("short_columns", (40, 50), f"GroupForward{LANES}{ONE}", f"ColumnBackward{ONE}", axis=0),
    grid("large_columns", (17_000, 3), "Finish", "GroupTotals", f"ColumnBackward{ONE}", axis=0),
    # Rows that are not groups.
    loss("rows", (700, 7), f"GroupForward{BLOCK}{MANY}", reduction="per_sample"),
    loss("rows_of_warps", (3, 300), f"GroupForward{BLOCK}{MANY}", reduction="per_sample"),
    grid("rows_of_a_grid", (3000, 7), "AddRows<RowLosses>", reduction="per_sample"),
    grid("long_rows", (2, 33_000), "AddParts<RowLosses>", reduction="per_sample"),
    # Where something is ignored.
    loss("ignored_of_lanes", (300, 7), f"GroupForward{LANES}{ONE}", axis=1, ignored="mask"),
    loss("ignored_of_warps", (40, 300), "ScalarFactor", axis=1, ignored="value"),
    loss("ignored_of_a_block", (5000,), f"GroupForward{BLOCK}{ONE}", ignored="nan"),
    grid("ignored_of_a_grid", (30_000,), "Finish", ignored="mask"),
    loss("ignored_of_columns", (100, 40), f"ColumnForward{ONE}", axis=0, ignored="value"),
    loss(
        "ignored_of_rows", (700, 7), "AddRows<RowFactors>", reduction="per_sample", ignored="mask"
    ),
    loss(
        "ignored_of_long_rows",
        (2, 33_000),
        "AddParts<RowFactors>",
        reduction="per_sample",
        ignored="nan",
    ),
    loss("ignored_of_samples", (700, 7), "AddRows<SampleSums>", reduction="sum", ignored="mask"),
    loss(
        "ignored_of_many_samples",
        (33_000, 2),
        "AddParts<SampleSums>",
        reduction="sum",
        ignored="value",
    ),
]
