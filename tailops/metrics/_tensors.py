"""What the metrics take in: pairs of one shape, and weights and masks that fit them."""

from typing import Any

import keras
import numpy as np

from tailops import _checks
from tailops._keras_broadcast import along_leading_axes


def dtype_of(tensor: Any) -> str:
    """The name of its dtype."""
    name: str = keras.backend.standardize_dtype(tensor.dtype)
    return name


def wide_dtype() -> str:
    """What sums and counts are kept in: float64, but float32 in JAX outside its x64 mode."""
    if keras.backend.backend() != "jax":
        return "float64"
    import jax

    return "float64" if jax.config.jax_enable_x64 else "float32"


def known_values(tensor: Any) -> Any:
    """The values, as a NumPy array, or None while a function is being traced."""
    if keras.backend.backend() == "jax":
        import jax

        return None if isinstance(tensor, jax.core.Tracer) else np.asarray(tensor)
    return tensor.numpy() if hasattr(tensor, "numpy") else None


def _compatible(given: Any, wanted: Any) -> bool:
    return len(given) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(given, wanted, strict=True)
    )


def as_tensor(argument: str, values: Any) -> Any:
    """The values as a tensor; TypeError for what is not dense, or of no framework's dtype."""
    _checks.require_dense(argument, values)
    foreign = _checks.foreign_dtype(values)
    if foreign is not None:
        raise TypeError(f"{argument} of dtype {foreign}: must be real numbers")
    return keras.ops.convert_to_tensor(values)


def as_pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors of the same shape, up to a last axis of 1, each of its own dtype.

    Raises:
        TypeError: y_pred is not floating, y_true is not real, or one of them is not dense.
        ValueError: The shapes differ.
    """
    targets, predictions = as_tensor("y_true", y_true), as_tensor("y_pred", y_pred)
    _checks.require_dtypes(y_true=dtype_of(targets), y_pred=dtype_of(predictions))
    given = tuple(targets.shape), tuple(predictions.shape)
    targets, predictions = _checks.same_rank(keras.ops, targets, predictions)
    if not _compatible(targets.shape, predictions.shape):
        raise _checks.shapes_differ(*given)
    return targets, predictions


def weights_for(sample_weight: Any, like: Any) -> Any:
    """One weight for each element of `like`, in the dtype of sums."""
    if sample_weight is None:
        return keras.ops.ones_like(like, dtype=wide_dtype())
    return along_leading_axes("sample_weight", sample_weight, wide_dtype(), like)


def and_mask(valid: Any, mask: Any) -> Any:
    """Those that are valid and not masked."""
    if mask is None:
        return valid
    return keras.ops.logical_and(valid, along_leading_axes("mask", mask, "bool", valid))
