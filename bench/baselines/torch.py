"""PyTorch's selection, eager, as PyTorch is used."""

from typing import Any

from bench.baselines.entry import Baseline, Kind, LossTask, SelectionTask, installed
from bench.case import Contestant
from bench.environment import THREADS
from bench.published import rank_of, weighted_mean

KTH = "torch.kthvalue"


def _loss(task: LossTask) -> Contestant:
    import torch

    torch.set_num_threads(THREADS)
    target, prediction = torch.from_numpy(task.y_true), torch.from_numpy(task.y_pred)
    dim = 0 if task.axis is None else task.axis

    def kth(error: Any) -> Any:
        rank = rank_of(error.shape[dim])
        return torch.kthvalue(error, rank + 1, dim=dim, keepdim=True).values

    def step() -> tuple[Any, ...]:
        leaf = prediction.detach().requires_grad_(task.gradient)
        error = (leaf - target).abs()
        error = error.float() if error.itemsize == 2 else error
        value = weighted_mean(error, kth(error), torch.tanh)
        if not task.gradient:
            return (value.numpy(),)
        value.backward()
        return value.detach().numpy(), leaf.grad.numpy()

    return Contestant(step)


def _selection(task: SelectionTask) -> Contestant:
    import torch

    torch.set_num_threads(THREADS)
    array = torch.from_numpy(task.x)
    return Contestant(lambda: (torch.kthvalue(array, task.rank + 1, dim=-1).values.numpy(),))


def _can(kind: Kind) -> bool:
    return installed("torch") and kind.dtype != "bfloat16"


LOSSES = {KTH: Baseline(_loss, _can)}
SELECTIONS = {KTH: Baseline(_selection, _can)}
