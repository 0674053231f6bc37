"""PyTorch's selection, eager, as PyTorch is used."""

from collections.abc import Callable
from typing import Any

from bench.baselines.entry import Baseline, Kind, LossTask, SelectionTask, TailTask, installed
from bench.case import Contestant
from bench.environment import THREADS
from bench.published import rank_of, weighted_mean

KTH, TOP_K, SORT = "torch.kthvalue", "torch.topk", "torch.sort"


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


def _by_top_k(values: Any, k: int) -> Any:
    return values.topk(k, sorted=False).values


# As samplers of hard pixels do.
def _by_sorting(values: Any, k: int) -> Any:
    return values.sort(descending=True).values[:k]


def _tail(select: Callable[[Any, int], Any]) -> Callable[[TailTask], Contestant]:
    def make(task: TailTask) -> Contestant:
        import torch

        torch.set_num_threads(THREADS)
        array = torch.from_numpy(task.values)

        def step() -> tuple[Any, ...]:
            leaf = array.detach().requires_grad_(task.gradient)
            value = select(leaf, task.k).mean()
            if not task.gradient:
                return (value.numpy(),)
            value.backward()
            return value.detach().numpy(), leaf.grad.numpy()

        return Contestant(step)

    return make


def _can(kind: Kind) -> bool:
    return installed("torch") and kind.dtype != "bfloat16"


LOSSES = {KTH: Baseline(_loss, _can)}
SELECTIONS = {KTH: Baseline(_selection, _can)}
TAILS = {
    TOP_K: Baseline(_tail(_by_top_k), _can),
    SORT: Baseline(_tail(_by_sorting), _can),
}
