"""Under `jax.jit`: sorting, and ours, where JAX has this dtype."""

from collections.abc import Callable
from typing import Any

from bench.baselines.entry import (
    Baseline,
    Kind,
    LossTask,
    SelectionTask,
    TailTask,
    as_tuple,
    installed,
)
from bench.case import Contestant
from bench.published import ARGUMENTS, rank_of, weighted_mean
from tailops import build_info

OURS_JAX, SORT, TOP_K = "tailops, JAX", "jnp.sort", "jax.lax.top_k"

Loss = Callable[[Any, Any], Any]


def _by_sorting(axis: int | None) -> Loss:
    import jax.numpy as jnp

    def loss(prediction: Any, target: Any) -> Any:
        error = jnp.abs(prediction - target)
        error = error.astype(jnp.float32) if error.itemsize == 2 else error
        along = 0 if axis is None else axis
        rank = rank_of(error.shape[along])
        threshold = jnp.take(jnp.sort(error, axis=along), jnp.array([rank]), axis=along)
        return weighted_mean(error, threshold, jnp.tanh)

    return loss


def _ours(axis: int | None) -> Loss:
    from tailops.jax import percentile_loss

    return lambda prediction, target: percentile_loss(
        target, prediction, *ARGUMENTS, axis=axis
    ).mean()


def _compiled(function: Callable[..., Any], *arrays: Any) -> Contestant:
    import jax

    step, on_device = jax.jit(function), [jax.numpy.asarray(array) for array in arrays]
    return Contestant(lambda: as_tuple(jax.block_until_ready(step(*on_device))))


def _loss(of: Callable[[int | None], Loss]) -> Callable[[LossTask], Contestant]:
    def make(task: LossTask) -> Contestant:
        import jax

        loss = of(task.axis)
        step = jax.value_and_grad(loss) if task.gradient else loss
        return _compiled(step, task.y_pred, task.y_true)

    return make


def _selection(task: SelectionTask) -> Contestant:
    import jax.numpy as jnp

    return _compiled(lambda x: jnp.sort(x, axis=-1)[..., task.rank], task.x)


def _our_mean(values: Any, k: int) -> Any:
    from tailops.jax import average_top_k

    return average_top_k(values, k)


def _mean_by_top_k(values: Any, k: int) -> Any:
    import jax

    return jax.lax.top_k(values, k)[0].mean()


def _tail(mean: Callable[[Any, int], Any]) -> Callable[[TailTask], Contestant]:
    def make(task: TailTask) -> Contestant:
        import jax

        def loss(values: Any) -> Any:
            return mean(values, task.k)

        return _compiled(jax.value_and_grad(loss) if task.gradient else loss, task.values)

    return make


def _can(kind: Kind) -> bool:
    return installed("jax") and kind.dtype != "float64"


def _has_ours(kind: Kind) -> bool:
    return _can(kind) and bool(build_info()["jax"])


LOSSES = {OURS_JAX: Baseline(_loss(_ours), _has_ours), SORT: Baseline(_loss(_by_sorting), _can)}
SELECTIONS = {SORT: Baseline(_selection, _can)}
TAILS = {
    OURS_JAX: Baseline(_tail(_our_mean), _has_ours),
    TOP_K: Baseline(_tail(_mean_by_top_k), _can),
}
