"""Targets and predictions as tensors of one shape and dtype, or an error that says why not."""

from typing import Any

import tensorflow as tf

FLOATING = (tf.float16, tf.bfloat16, tf.float32, tf.float64)


def _dtype_of(values: Any) -> tf.DType:
    dtype = getattr(values, "dtype", None)
    return tf.convert_to_tensor(values).dtype if dtype is None else tf.as_dtype(dtype)


def require_dtypes(y_true: Any, y_pred: Any) -> None:
    """Raises TypeError unless y_pred is floating and y_true is real.

    Integer targets are allowed, as in Keras's own losses, and cast to the predictions' dtype.
    """
    prediction, target = _dtype_of(y_pred), _dtype_of(y_true)
    if prediction not in FLOATING:
        allowed = ", ".join(dtype.name for dtype in FLOATING)
        raise TypeError(f"y_pred of dtype {prediction.name}: must be one of {allowed}")
    if not (target in FLOATING or target.is_integer):
        raise TypeError(f"y_true of dtype {target.name}: must be real numbers")


def _same_rank(y_true: tf.Tensor, y_pred: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Keras's rule: a last axis of 1 is added to a vector, and dropped from anything else."""
    ranks = y_true.shape.rank, y_pred.shape.rank
    if None in ranks or abs(ranks[0] - ranks[1]) != 1:
        return y_true, y_pred
    long, short = (y_true, y_pred) if ranks[0] > ranks[1] else (y_pred, y_true)
    if long.shape[-1] == 1:
        if short.shape.rank == 1:
            short = tf.expand_dims(short, -1)
        else:
            long = tf.squeeze(long, -1)
    return (long, short) if ranks[0] > ranks[1] else (short, long)


def as_pair(y_true: Any, y_pred: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Both as tensors of y_pred's dtype, of the same shape as far as it is known.

    Raises:
        TypeError: y_pred is not floating or y_true is not real.
        ValueError: The shapes differ. What would only broadcast is refused: a (B,) against a
            (B, 1) silently becomes (B, B).
    """
    require_dtypes(y_true, y_pred)
    predictions = tf.convert_to_tensor(y_pred)
    targets = tf.cast(tf.convert_to_tensor(y_true), predictions.dtype)
    given = targets.shape, predictions.shape
    targets, predictions = _same_rank(targets, predictions)
    if not targets.shape.is_compatible_with(predictions.shape):
        raise ValueError(
            f"y_true of shape {given[0]} and y_pred of shape {given[1]}: must be the same, up to "
            "a last axis of 1; nothing is broadcast"
        )
    return targets, predictions
