"""In NumPy: our kernels, without a framework; `np.partition`, on one thread, with a gradient."""

from functools import partial
from typing import Any

import numpy as np

from bench.baselines.entry import Array, Baseline, Kind, LossTask, SelectionTask, TailTask
from bench.case import Contestant
from bench.environment import THREADS
from bench.published import ARGUMENTS, ERROR_SCALE, SMOOTHING_FACTOR, rank_of
from tailops import kernels
from tailops._options import TailOptions

OURS_KERNELS = "tailops kernels"


def _kernels_loss(task: LossTask) -> Contestant:
    options = TailOptions(*ARGUMENTS, axis=task.axis)
    arrays = task.y_true, task.y_pred
    out, one = np.zeros_like(task.y_pred), np.ones((), task.y_pred.dtype)
    how: dict[str, Any] = {"reduction": "mean", "threads": THREADS}

    def forward() -> tuple[Array, ...]:
        return (kernels.forward(*arrays, options, **how).loss,)

    def both() -> tuple[Array, ...]:
        value, state = kernels.forward(*arrays, options, **how)
        kernels.backward(one, *arrays, state, options, out=out, **how)
        return value, out

    return Contestant(both if task.gradient else forward)


def _kernels_selection(task: SelectionTask) -> Contestant:
    select = partial(kernels.select, task.x, [task.rank], method="rank", axis=-1, threads=THREADS)
    return Contestant(lambda: (select()[0],))


def _partition_loss(task: LossTask) -> Contestant:
    return Contestant(partial(_by_partition, task.y_true, task.y_pred, task.gradient))


def _by_partition(y_true: Array, y_pred: Array, gradient: bool) -> tuple[Any, ...]:
    d = y_pred - y_true
    e = np.abs(d)
    rank = rank_of(e.size)
    t = np.partition(e, rank)[rank]
    h = 0.5 * (1.0 + np.tanh(SMOOTHING_FACTOR * (e - t)))
    value = (e * (1.0 + ERROR_SCALE * h)).mean()
    if not gradient:
        return (value,)
    through = ERROR_SCALE * e * (2.0 * SMOOTHING_FACTOR) * h * (1.0 - h)
    slope = 1.0 + ERROR_SCALE * h + through
    at_threshold = e == t
    slope[at_threshold] -= through.sum() / at_threshold.sum()
    return value, np.sign(d) * slope / e.dtype.type(e.size)


def _partition_selection(task: SelectionTask) -> Contestant:
    return Contestant(lambda: (np.partition(task.x, task.rank, axis=-1)[..., task.rank],))


def _kernels_tail(task: TailTask) -> Contestant:
    values, bounds = task.values, (float(task.k), 0.0)
    out, one = np.zeros_like(values), np.ones((), values.dtype)

    def forward() -> tuple[Array, ...]:
        return (kernels.range_mean(values, bounds, "largest", threads=THREADS),)

    def both() -> tuple[Array, ...]:
        value, state = kernels.range_mean_forward(values, bounds, "largest", threads=THREADS)
        kernels.range_mean_gradient(one, values, state, out=out, threads=THREADS)
        return value, out

    return Contestant(both if task.gradient else forward)


def _partition_tail(task: TailTask) -> Contestant:
    values, k = task.values, task.k

    def step() -> tuple[Any, ...]:
        largest = np.partition(values, values.size - k)[values.size - k :]
        if not task.gradient:
            return (largest.mean(),)
        return largest.mean(), (values >= largest[0]) / values.dtype.type(k)

    return Contestant(step)


def _is_wide(kind: Kind) -> bool:
    return kind.dtype in ("float32", "float64")


LOSSES = {
    OURS_KERNELS: Baseline(_kernels_loss),
    "np.partition": Baseline(_partition_loss, lambda kind: kind.axis is None and _is_wide(kind)),
}
SELECTIONS = {
    OURS_KERNELS: Baseline(_kernels_selection),
    "np.partition": Baseline(_partition_selection, _is_wide),
}
TAILS = {
    OURS_KERNELS: Baseline(_kernels_tail),
    "np.partition": Baseline(_partition_tail, _is_wide),
}
