"""A user's program, which is checked and not run: each public submodule as its documents use it."""

from typing import Any

import jax
import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from typing_extensions import assert_type

import tailops
from tailops import cuda, kernels, ops, reference
from tailops import jax as tailops_jax
from tailops.callbacks import TailMonitor, TailSchedule
from tailops.layers import ErrorWindow
from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    HybridPercentileLoss,
    MaxFractionLoss,
    OHEMLoss,
    PercentileLoss,
    TailWeightedLoss,
    TrimmedLoss,
    hybrid_percentile_loss,
    max_fraction_loss,
    percentile_loss,
)
from tailops.metrics import (
    ErrorPercentile,
    MaskedCategoricalAccuracy,
    MaskedCosineSimilarity,
    MaskedMeanAbsoluteError,
    MaskedMeanSquaredError,
    MaskedSparseCategoricalCrossentropy,
    TailMean,
)


def installed() -> str:
    info = assert_type(tailops.build_info(), dict[str, Any])
    return f"{assert_type(tailops.__version__, str)}, {info['compiler']}"


def losses() -> list[keras.losses.Loss]:
    published: list[keras.losses.Loss] = [
        PercentileLoss(0.95, 5.0, 20.0, gradient="fixed_weight", ignore_nan=True),
        PercentileLoss(percentile=keras.Variable(0.9), window=4096, method="linear"),
        MaxFractionLoss(fraction=0.5, error="squared", axis=0, reduction="sum"),
        HybridPercentileLoss(beta=0.5, ignore_value=-1.0, synchronized=True, dtype="float64"),
    ]
    around: list[keras.losses.Loss] = [
        TailWeightedLoss("mae", percentile=0.95, error_scale=20.0, smoothing_factor=5.0),
        TailWeightedLoss(keras.losses.Huber(), axis=(1, 2), smoothing_unit="error", name=None),
        CVaRLoss("mse", 0.9, weighted=True),
        AverageTopKLoss(keras.losses.mean_absolute_error, k=10),
        AverageTopKLoss("mae", fraction=0.2, axis=1),
        OHEMLoss("mae", threshold=0.36, min_kept=1000),
        TrimmedLoss("mae", fraction=0.1),
    ]
    return [*published, *around]


def one_loss(y_true: Any, y_pred: Any) -> Any:
    loss = PercentileLoss()
    assert_type(loss.get_config(), dict[str, Any])
    return loss(y_true, y_pred, sample_weight=np.ones(3))


def functions_of_tensors(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    total = percentile_loss(y_true, y_pred, 0.9, error="smooth_absolute", epsilon=0.1, mask=mask)
    total += max_fraction_loss(y_true, y_pred, fraction=0.5, impl="reference")
    total += hybrid_percentile_loss(y_true, y_pred, beta=0.5, axis=None)
    options = ops.TailOptions(percentile=0.9, error="squared", gradient="fixed_threshold")
    total += ops.tail_loss(y_true, y_pred, options, reduction="none")
    return total + reference.tail_loss(y_true, y_pred, options, reduction="none")


def selection(x: tf.Tensor) -> list[tf.Tensor]:
    value, place = ops.quantile(x, 0.5, method="lower", return_indices=True)
    return [
        value,
        place,
        ops.nth_element(x, 3, reverse=True),
        ops.quantile(x, [0.1, 0.9], axis=-1, keepdims=True),
        ops.nanquantile(x, 0.5, method="inverted_cdf", weights=tf.ones_like(x)),
        ops.percentile(x, 50),
        ops.nanpercentile(x, 50),
        ops.median(x, axis=(0, 1)),
        ops.nanmedian(x),
        ops.top_k_mean(x, 3),
    ]


def tails(values: tf.Tensor, mask: tf.Tensor) -> list[tf.Tensor]:
    return [
        ops.range_mean(values, 0.25, 0.75, axis=(1, 2), mask=mask),
        ops.cvar(values, 0.9, reduction="mean"),
        ops.average_top_k(values, 2.5),
        ops.trimmed_mean(values, 0.1, weights=np.ones(3)),
        ops.ohem(values, threshold=0.7, min_kept=3, synchronized=True),
        ops.tail_mask(values, 0.9),
        ops.tail_weighted(values, smoothing_unit="threshold", method="linear", ignore_nan=True),
    ]


def arrays(y_true: NDArray[np.float32], y_pred: NDArray[np.float32]) -> None:
    options = kernels.TailOptions(gradient="fixed_weight")
    loss, state = kernels.forward(y_true, y_pred, options, reduction="mean", threads=2)
    assert_type(loss, NDArray[Any])
    gradient = kernels.backward(loss, y_true, y_pred, state, options, reduction="mean")
    assert_type(gradient, NDArray[Any])
    selected = kernels.select_forward(y_pred, [0.5, 0.9], axis=0)
    assert_type(selected, kernels.Selection)
    assert_type(selected.state, NDArray[np.float64])
    by_x = kernels.select_backward(selected.value, y_pred, selected.state, axis=0)
    assert_type(by_x, NDArray[Any])
    mean = kernels.range_mean_forward(y_pred, (0.5, 1.0), "between")
    assert_type(mean, kernels.RangeMean)
    by_value = kernels.range_mean_gradient(mean.mean, y_pred, mean.state)
    assert_type(by_value, NDArray[Any])
    assert_type(kernels.select(y_pred, [0.5], weights=np.ones(3)), NDArray[Any])
    assert_type(kernels.range_mean(y_pred, (0, 1), "between"), NDArray[Any])


def device_arrays(y_true: Any, y_pred: Any) -> Any:
    if cuda.device_count() == 0:
        return None
    cuda.prepare()
    done = assert_type(cuda.forward(y_true, y_pred, reduction="mean"), cuda.Forward)
    return cuda.backward(done.loss, y_true, y_pred, done.state, reduction="mean")


def jax_arrays(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    loss = tailops_jax.percentile_loss(y_true, y_pred, 0.9, gradient="fixed_weight")
    loss += tailops_jax.max_fraction_loss(y_true, y_pred, error="squared")
    loss += tailops_jax.hybrid_percentile_loss(y_true, y_pred, beta=0.5, mask=y_true > 0)
    options = tailops_jax.TailOptions(ignore_nan=True)
    loss += tailops_jax.tail_loss(y_true, y_pred, options, reduction="sum")
    return assert_type(loss, jax.Array)


def jax_selection(x: jax.Array, return_indices: bool) -> list[jax.Array]:
    value, place = tailops_jax.quantile(x, 0.5, method="lower", return_indices=True)
    smallest, where = tailops_jax.nth_element(x, 0, return_indices=True)
    array_or_pair: Any = tailops_jax.quantile(x, 0.5, return_indices=return_indices)
    parts = [
        value,
        place,
        smallest,
        where,
        tailops_jax.quantile(x, np.array([0.1, 0.9]), axis=-1, keepdims=True),
        tailops_jax.nanquantile(x, 0.5, method="inverted_cdf", weights=np.ones(3)),
        tailops_jax.percentile(x, 50),
        tailops_jax.nanpercentile(x, 50, return_indices=False),
        tailops_jax.nth_element(x, 3, reverse=True),
        tailops_jax.median(x),
        tailops_jax.nanmedian(x),
        tailops_jax.top_k_mean(x, 3),
        tailops_jax.range_mean(x, 0.25, 0.75, axis=(1, 2)),
        tailops_jax.cvar(x, 0.9, axis_name="batch"),
        tailops_jax.average_top_k(x, 2.5),
        tailops_jax.trimmed_mean(x, 0.1),
        tailops_jax.ohem(x, threshold=0.7, min_kept=3),
        tailops_jax.tail_mask(x, 0.9),
        tailops_jax.tail_weighted(x, method="linear"),
    ]
    assert_type(parts, list[jax.Array])
    return [*parts, array_or_pair]


def metrics() -> list[keras.metrics.Metric]:
    tail = TailMean(keras.losses.Huber(), percentile=0.95, relative_error=0.02)
    tail.update_state(np.zeros(3), np.ones(3), sample_weight=np.ones(3))
    worst = float(tail.result())
    return [
        tail,
        ErrorPercentile(0.99, ignore_value=-1.0, exact_size=int(worst)),
        MaskedMeanSquaredError(ignore_value=None, ignore_nan=True),
        MaskedMeanAbsoluteError(-1.0, name="mae"),
        MaskedCategoricalAccuracy(ignore_values=(0, 5)),
        MaskedSparseCategoricalCrossentropy(ignore_values=(255,), from_logits=True),
        MaskedCosineSimilarity(),
    ]


def train(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    share = keras.Variable(1.0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1), ErrorWindow(4096)])
    model.compile("adam", AverageTopKLoss("mae", fraction=share), metrics=metrics())
    monitor = TailMonitor((x, y), batch_size=256, picture="tail.png")
    schedule = TailSchedule(share, 1.0, 0.2, over=4, shape="cosine", stairs=3, name="share")
    model.fit(x, y, callbacks=[monitor, schedule])
    assert_type(monitor.tail, dict[str, list[float]])
    return assert_type(schedule.value(3), float)


def mistakes(x: Any) -> None:
    """Each line is an error; a checker that finds none says that the comment is needless."""
    PercentileLoss(eror="squared")  # type: ignore[call-arg]
    PercentileLoss(error=2)  # type: ignore[arg-type]
    MaxFractionLoss(method="linear")  # type: ignore[call-arg]
    MaxFractionLoss(ignore_value=1.0, ignore_nan=1)  # type: ignore[arg-type]
    TailWeightedLoss("mae", error="squared")  # type: ignore[call-arg]
    CVaRLoss("mae", window=0.5)  # type: ignore[arg-type]
    OHEMLoss()  # type: ignore[call-arg]
    percentile_loss(x, x, beta=0.5)  # type: ignore[call-arg]
    ops.tail_loss(x, x, {"percentile": 0.9})  # type: ignore[arg-type]
    ops.cvar(x, reduction=None)  # type: ignore[arg-type]
    ops.tail_weighted(x, epsilon=0.1)  # type: ignore[call-arg]
    kernels.forward(x, x, threads="2")  # type: ignore[arg-type]
    kernels.TailOptions(persentile=0.9)  # type: ignore[call-arg]
    tailops_jax.quantile(x, 0.5, methods="lower")  # type: ignore[call-overload]
    tailops_jax.median(x, method="lower")  # type: ignore[call-arg]
    ErrorPercentile("0.99")  # type: ignore[arg-type]
    MaskedCategoricalAccuracy(ignore_values=5)  # type: ignore[arg-type]
    ErrorWindow()  # type: ignore[call-arg]
    TailMonitor((x, x), batch_size=None)  # type: ignore[arg-type]
    TailSchedule(x, 1.0, 0.2)  # type: ignore[call-arg]
    _ = tailops.lossses  # type: ignore[attr-defined]
