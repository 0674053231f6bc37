from typing import Any

import numpy as np
from numpy.typing import NDArray

STATE_COLUMNS: int
STATE_NAMES: tuple[str, ...]
SELECTION_COLUMNS: int
RANGE_COLUMNS: int
RANGE_KINDS: tuple[str, ...]
RANGE_SUM_COLUMNS: int
NUMBER_PARTS: int
SLOPE_COLUMNS: int
MOST_IN_WINDOW: int
UNION_COLUMNS: int
BUFFER_LENGTH: int
BLOCK_LENGTH: int
PARALLEL_ELEMENTS: int
STREAMED_BYTES: int
KEPT_SCRATCH_BYTES: int
ERRORS: tuple[str, ...]
METHODS: tuple[str, ...]
INTERPOLATING_METHODS: tuple[str, ...]
METHODS_OF_WEIGHTS: tuple[str, ...]
GRADIENTS: tuple[str, ...]
SMOOTHING_UNITS: tuple[str, ...]
REDUCTIONS: tuple[str, ...]
SELECTIONS: tuple[str, ...]

class Options:
    def __init__(
        self,
        *,
        percentile: float,
        smoothing_factor: float,
        error_scale: float,
        beta: float,
        epsilon: float,
        error: str,
        method: str,
        gradient: str,
        smoothing_unit: str,
        ignore_value: float | None,
        ignore_nan: bool,
        selection: str,
    ) -> None: ...

class Geometry:
    def __init__(self, shape: list[int], axis: int | None, reduction: str) -> None: ...
    @property
    def groups(self) -> int: ...
    @property
    def output_shape(self) -> tuple[int, ...]: ...

class SelectionOptions:
    def __init__(self, method: str, ignore_nan: bool, axis: int | None) -> None: ...

class SelectionGeometry:
    def __init__(self, shape: list[int], options: SelectionOptions) -> None: ...
    @property
    def groups(self) -> int: ...
    @property
    def group_shape(self) -> tuple[int, ...]: ...

class RangeOptions:
    def __init__(self, kind: str, axis: int | None) -> None: ...

def forward(
    dtype: str,
    y_true: NDArray[Any],
    y_pred: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    geometry: Geometry,
    options: Options,
    loss: NDArray[Any],
    state: NDArray[Any],
    threads: int,
) -> None: ...
def backward(
    dtype: str,
    upstream: NDArray[Any],
    y_true: NDArray[Any],
    y_pred: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    state: NDArray[np.void],
    geometry: Geometry,
    options: Options,
    gradient: NDArray[Any],
    threads: int,
) -> None: ...
def union_targets(options: Options) -> int: ...
def range_targets(kind: str) -> int: ...
def union_rounds(key_bits: int) -> int: ...
def union_count_columns(key_bits: int, number: int, targets: int) -> int: ...
def cuda_device_count() -> int: ...
def cuda_prepare() -> None: ...
def cuda_workspace(
    dtype: str, mask: int, geometry: Geometry, options: Options, is_forward: bool
) -> int: ...
def cuda_forward(
    dtype: str,
    y_true: int,
    y_pred: int,
    mask: int,
    geometry: Geometry,
    options: Options,
    loss: int,
    state: int,
    workspace: int,
    stream: int,
) -> None: ...
def cuda_backward(
    dtype: str,
    upstream: int,
    y_true: int,
    y_pred: int,
    mask: int,
    state: int,
    geometry: Geometry,
    options: Options,
    gradient: int,
    workspace: int,
    stream: int,
) -> None: ...
def cuda_selection_workspace(
    dtype: str, weights: int, geometry: SelectionGeometry, options: SelectionOptions, q: list[float]
) -> int: ...
def cuda_select(
    dtype: str,
    x: int,
    weights: int,
    wide_weights: bool,
    geometry: SelectionGeometry,
    options: SelectionOptions,
    q: list[float],
    value: int,
    state: int,
    workspace: int,
    stream: int,
) -> None: ...
def cuda_select_gradient(
    dtype: str,
    upstream: int,
    x: int,
    state: int,
    geometry: SelectionGeometry,
    q_count: int,
    gradient: int,
    stream: int,
) -> None: ...
def cuda_range_workspace(
    dtype: str, weights: int, geometry: SelectionGeometry, options: RangeOptions
) -> int: ...
def cuda_range_mean(
    dtype: str,
    values: int,
    mask: int,
    weights: int,
    wide_weights: bool,
    geometry: SelectionGeometry,
    options: RangeOptions,
    bounds: tuple[float, float],
    on_device: int,
    mean: int,
    state: int,
    workspace: int,
    stream: int,
) -> None: ...
def cuda_range_mean_gradient(
    dtype: str,
    upstream: int,
    values: int,
    mask: int,
    state: int,
    geometry: SelectionGeometry,
    gradient: int,
    stream: int,
) -> None: ...

class CudaUnionRound:
    columns: int
    def __init__(self, key_bits: int, number: int, targets: int) -> None: ...

class CudaShare:
    def __init__(
        self,
        dtype: str,
        y_true: int,
        y_pred: int,
        mask: int,
        shape: list[int],
        axis: int | None,
        options: Options,
        stream: int,
    ) -> None: ...
    def histogram(self, of: CudaUnionRound, search: int, counts: int) -> None: ...
    def descend(self, of: CudaUnionRound, counts: int, before: int, after: int) -> None: ...
    def states(self, search: int, state: int) -> None: ...
    def workspace(self) -> int: ...
    def losses(self, state: int, loss: int) -> None: ...
    def slopes(self, upstream: int, state: int, slopes: int, workspace: int) -> None: ...
    def gradient(
        self, upstream: int, state: int, slopes: int, gradient: int, workspace: int
    ) -> None: ...
    def remember(
        self,
        window: int,
        written: int,
        size: int,
        frozen: bool,
        window_after: int,
        written_after: int,
    ) -> None: ...
    def range_descend(
        self,
        kind: str,
        bounds: int,
        of: CudaUnionRound,
        counts: int,
        before: int,
        after: int,
    ) -> None: ...
    def range_sums(
        self, kind: str, bounds: list[float], search: int, sums: int, workspace: int
    ) -> None: ...
    def range_mean(
        self, kind: str, bounds: int, search: int, sums: int, mean: int, state: int
    ) -> None: ...

def cuda_write_counts(counts: int, n: int, parts: int, stream: int) -> None: ...
def cuda_write_numbers(numbers: int, n: int, parts: int, stream: int) -> None: ...
def cuda_read_counts(parts: int, n: int, counts: int, stream: int) -> None: ...
def cuda_read_numbers(parts: int, n: int, numbers: int, stream: int) -> None: ...
def cuda_read_two(a: int, b: int, n: int, workspace: int, stream: int) -> None: ...
def cuda_read_two_write_one(a: int, b: int, out: int, n: int, stream: int) -> None: ...
def select(
    dtype: str,
    x: NDArray[Any],
    weights: NDArray[np.floating] | None,
    geometry: SelectionGeometry,
    options: SelectionOptions,
    q: list[float],
    value: NDArray[Any],
    state: NDArray[np.float64],
    threads: int,
) -> None: ...
def select_gradient(
    dtype: str,
    upstream: NDArray[Any],
    x: NDArray[Any],
    state: NDArray[np.float64],
    geometry: SelectionGeometry,
    q_count: int,
    gradient: NDArray[Any],
    threads: int,
) -> None: ...
def range_geometry(shape: list[int], options: RangeOptions) -> SelectionGeometry: ...
def range_mean(
    dtype: str,
    values: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    weights: NDArray[np.floating] | None,
    geometry: SelectionGeometry,
    options: RangeOptions,
    bounds: tuple[float, float],
    mean: NDArray[Any],
    state: NDArray[np.float64],
    threads: int,
) -> None: ...
def range_mean_gradient(
    dtype: str,
    upstream: NDArray[Any],
    values: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    state: NDArray[np.float64],
    geometry: SelectionGeometry,
    gradient: NDArray[Any],
    threads: int,
) -> None: ...
def call_attributes(
    options: Options, axis: int | None, reduction: str
) -> list[tuple[str, float | int]]: ...
def forward_plan(
    geometry: Geometry, options: Options, masked: bool = ...
) -> dict[str, str | bool]: ...
def rank(options: Options, n: int) -> tuple[int, float, float]: ...
def read_two(a: NDArray[np.float32], b: NDArray[np.float32], threads: int) -> float: ...
def read_two_write_one(
    a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32], threads: int
) -> None: ...
def instruction_set() -> str: ...
def set_instruction_set(name: str) -> None: ...
def build_info() -> dict[str, Any]: ...
