"""The others, each the best honest way to write it in its library, and ours: in one place.

A *selection* finds the element of a rank along the last axis. A *loss* is the mean of
ℓ = e(1 + s·h) with t = e₍⌊n·p⌋₎ and the published settings; its gradient is that of the whole
function. Every call returns a tuple of arrays, computed to the end.
"""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench.match import OURS, THREADS, Contestant
from tailops import kernels, ops
from tailops._options import TailOptions

PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE = 0.99, 100.0, 10.0
PUBLISHED = TailOptions(PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE)

OURS_EAGER, OURS_XLA, OURS_JAX = "tailops, eager", "tailops, XLA", "tailops, JAX"
OURS_KERNELS = "tailops kernels"
SORT, SORT_XLA = "tf.sort", "tf.sort, XLA"

Tensors = tuple[Any, ...]
Selection = Callable[[tf.Tensor, int], tf.Tensor]


def installed(module: str) -> bool:
    """Whether it can be imported."""
    return importlib.util.find_spec(module) is not None


def rank_of(n: int, percentile: float = PERCENTILE) -> int:
    """⌊n·p⌋, as the loss has it."""
    return min(int(n * percentile), n - 1)


def _keras_quantile(x: tf.Tensor, rank: int) -> tf.Tensor:
    return keras.ops.quantile(x, rank / max(x.shape[-1] - 1, 1), axis=-1, method="nearest")


def _tfp_percentile(x: tf.Tensor, rank: int) -> tf.Tensor:
    import tensorflow_probability as tfp

    q = 100 * rank / max(x.shape[-1] - 1, 1)
    return tfp.stats.percentile(x, q, axis=-1, interpolation="nearest")


# By TensorFlow's name for it.
SELECTIONS: dict[str, Selection] = {
    SORT: lambda x, rank: tf.sort(x, axis=-1)[..., rank],
    "tf.math.top_k": lambda x, rank: tf.math.top_k(x, x.shape[-1] - rank).values[..., -1],
    "NthElement": lambda x, rank: tf.raw_ops.NthElement(input=x, n=rank),
    "keras.ops.quantile": _keras_quantile,
}
if installed("tensorflow_probability"):
    SELECTIONS["tfp.stats.percentile"] = _tfp_percentile


def weighted_mean(error: Any, threshold: Any, tanh: Any) -> Any:
    """The published loss, of errors and a threshold, in any library's arrays."""
    h = 0.5 * (1.0 + tanh(SMOOTHING_FACTOR * (error - threshold)))
    return (error * (1.0 + ERROR_SCALE * h)).mean()


def loss_of(selection: Selection, axis: int | None = None) -> Callable[..., tf.Tensor]:
    """The loss with a threshold selected so, of everything or of each slice along the axis."""

    def loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        error = tf.abs(y_pred - y_true)
        if error.dtype.size == 2:  # as ours: 16 bits are too few for a sum
            error = tf.cast(error, tf.float32)
        if axis is None:
            error = tf.reshape(error, [-1])
        rows = tf.transpose(error) if axis == 0 else error
        threshold = selection(rows, rank_of(rows.shape[-1]))
        if axis is not None:
            threshold = tf.expand_dims(threshold, axis)
        h = 0.5 * (1.0 + tf.tanh(SMOOTHING_FACTOR * (error - threshold)))
        return tf.reduce_mean(error * (1.0 + ERROR_SCALE * h))

    return loss


def ours(axis: int | None = None) -> Callable[..., tf.Tensor]:
    """The fused op."""
    options = TailOptions(PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE, axis=axis)
    return lambda y_true, y_pred: ops.tail_loss(y_true, y_pred, options, reduction="mean")


def operations_of(function: Any, *tensors: tf.Tensor) -> int:
    """How many operations a call of a `tf.function` runs, before TensorFlow optimises it."""
    free = {"Const", "Identity", "IdentityN", "NoOp", "Placeholder"}
    graph = function.get_concrete_function(*tensors).graph
    return sum(operation.type not in free for operation in graph.get_operations())


def _with_gradient(loss: Callable[..., tf.Tensor]) -> Callable[..., Tensors]:
    def step(y_true: tf.Tensor, y_pred: tf.Tensor) -> Tensors:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    return step


def _contestant(
    function: Callable[..., Any], tensors: Tensors, jit_compile: bool = False
) -> Contestant:
    compiled = tf.function(function, jit_compile=jit_compile)
    operations = None if jit_compile else operations_of(compiled, *tensors)
    return Contestant(lambda: as_tuple(compiled(*tensors)), operations)


def as_tuple(found: Any) -> Tensors:
    """Of one tensor or several."""
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def tensorflow_losses(
    y_true: np.ndarray, y_pred: np.ndarray, gradient: bool, axis: int | None = None
) -> Iterator[tuple[str, Contestant]]:
    """The losses that TensorFlow runs."""
    tensors = (tf.constant(y_true), tf.constant(y_pred))
    finish = _with_gradient if gradient else lambda loss: loss
    mine = finish(ours(axis))
    yield OURS, _contestant(mine, tensors)
    yield OURS_EAGER, Contestant(lambda: as_tuple(mine(*tensors)))
    yield OURS_XLA, _contestant(mine, tensors, jit_compile=True)
    for name, selection in SELECTIONS.items():
        yield name, _contestant(finish(loss_of(selection, axis)), tensors)
    yield SORT_XLA, _contestant(finish(loss_of(SELECTIONS[SORT], axis)), tensors, jit_compile=True)


def numpy_losses(
    y_true: np.ndarray, y_pred: np.ndarray, gradient: bool, axis: int | None = None
) -> Iterator[tuple[str, Contestant]]:
    """Our kernels without a framework; NumPy, its gradient by hand, on one thread."""
    options = TailOptions(PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE, axis=axis)
    out = np.zeros_like(y_pred)
    one = np.ones((), y_pred.dtype)

    def with_kernels() -> Tensors:
        value, state = kernels.forward(y_true, y_pred, options, reduction="mean", threads=THREADS)
        if not gradient:
            return (value,)
        how = {"out": out, "reduction": "mean", "threads": THREADS}
        kernels.backward(one, y_true, y_pred, state, options, **how)
        return value, out

    yield OURS_KERNELS, Contestant(with_kernels)
    if axis is None and y_pred.dtype.itemsize >= 4:
        yield "np.partition", Contestant(partial(_in_numpy, y_true, y_pred, gradient))


def _in_numpy(y_true: np.ndarray, y_pred: np.ndarray, gradient: bool) -> Tensors:
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


def torch_losses(
    y_true: np.ndarray, y_pred: np.ndarray, gradient: bool, axis: int | None = None
) -> Iterator[tuple[str, Contestant]]:
    """PyTorch's selection, eager, as PyTorch is used."""
    if not installed("torch") or y_pred.dtype.name == "bfloat16":
        return
    import torch

    torch.set_num_threads(THREADS)
    target, prediction = torch.from_numpy(y_true), torch.from_numpy(y_pred)
    dim = 0 if axis is None else axis

    def kth(error: Any) -> Any:
        rank = rank_of(error.shape[dim])
        return torch.kthvalue(error, rank + 1, dim=dim, keepdim=True).values

    def step() -> Tensors:
        leaf = prediction.detach().requires_grad_(gradient)
        error = (leaf - target).abs()
        error = error.float() if error.itemsize == 2 else error
        value = weighted_mean(error, kth(error), torch.tanh)
        if not gradient:
            return (value.numpy(),)
        value.backward()
        return value.detach().numpy(), leaf.grad.numpy()

    yield "torch.kthvalue", Contestant(step)


def jax_losses(
    y_true: np.ndarray, y_pred: np.ndarray, gradient: bool, axis: int | None = None
) -> Iterator[tuple[str, Contestant]]:
    """Ours and sorting under `jax.jit`, where JAX has this dtype."""
    if not installed("jax") or y_pred.dtype == np.float64:
        return
    import jax
    import jax.numpy as jnp

    from tailops import build_info

    def by_sorting(prediction: Any, target: Any) -> Any:
        error = jnp.abs(prediction - target)
        error = error.astype(jnp.float32) if error.itemsize == 2 else error
        along = 0 if axis is None else axis
        rank = rank_of(error.shape[along])
        threshold = jnp.take(jnp.sort(error, axis=along), jnp.array([rank]), axis=along)
        return weighted_mean(error, threshold, jnp.tanh)

    losses = {"jnp.sort": by_sorting}
    if build_info()["jax"]:
        from tailops.jax import percentile_loss

        def with_ours(prediction: Any, target: Any) -> Any:
            loss = percentile_loss(target, prediction, *_PUBLISHED_ARGUMENTS, axis=axis)
            return loss.mean()

        losses = {OURS_JAX: with_ours, **losses}
    target, prediction = jnp.asarray(y_true), jnp.asarray(y_pred)
    for name, loss in losses.items():
        step = jax.jit(jax.value_and_grad(loss) if gradient else loss)
        yield (
            name,
            Contestant(lambda step=step: as_tuple(jax.block_until_ready(step(prediction, target)))),
        )


_PUBLISHED_ARGUMENTS = (PERCENTILE, SMOOTHING_FACTOR, ERROR_SCALE)


def losses(
    y_true: np.ndarray, y_pred: np.ndarray, gradient: bool, axis: int | None = None
) -> dict[str, Contestant]:
    """Everybody who has this dtype."""
    found: dict[str, Contestant] = {}
    for those in (tensorflow_losses, numpy_losses, torch_losses, jax_losses):
        found.update(those(y_true, y_pred, gradient, axis))
    return found


def selections(x: np.ndarray, rank: int) -> dict[str, Contestant]:
    """Everybody who finds the element of a rank of every row."""
    tensor = tf.constant(x)

    def mine(x: tf.Tensor) -> tf.Tensor:
        return ops.nth_element(x, rank)

    found = {
        OURS: _contestant(mine, (tensor,)),
        OURS_EAGER: Contestant(lambda: (mine(tensor),)),
        OURS_XLA: _contestant(mine, (tensor,), jit_compile=True),
    }
    for name, selection in SELECTIONS.items():
        found[name] = _contestant(lambda x, of=selection: of(x, rank), (tensor,))
    sort = partial(SELECTIONS[SORT], rank=rank)
    found[SORT_XLA] = _contestant(lambda x: sort(x), (tensor,), jit_compile=True)
    select = partial(kernels.select, x, [rank], method="rank", axis=-1, threads=THREADS)
    found[OURS_KERNELS] = Contestant(lambda: (select()[0],))
    if x.dtype.itemsize >= 4:
        found["np.partition"] = Contestant(lambda: (np.partition(x, rank, axis=-1)[..., rank],))
    if installed("torch") and x.dtype.name != "bfloat16":
        import torch

        torch.set_num_threads(THREADS)
        array = torch.from_numpy(x)
        found["torch.kthvalue"] = Contestant(
            lambda: (torch.kthvalue(array, rank + 1, dim=-1).values.numpy(),)
        )
    if installed("jax") and x.dtype != np.float64:
        import jax
        import jax.numpy as jnp

        on_device = jnp.asarray(x)
        sorted_one = jax.jit(lambda x: jnp.sort(x, axis=-1)[..., rank])
        found["jnp.sort"] = Contestant(lambda: (jax.block_until_ready(sorted_one(on_device)),))
    return found
