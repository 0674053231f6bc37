"""Targets and predictions as tensors of one shape and dtype, or an error that says why not.

One text for all frameworks. What each has its own words for is a module of its own, a `Tensors`:
`tailops._tensorflow.tensors` and `tailops.jax._arrays`.
"""

from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from tailops import _checks
from tailops._options import TailOptions, require_rank_of


class Tensors(Protocol):
    """A framework's tensors, which have a shape and a dtype: how they are made and compared."""

    def dtype_of(self, argument: str, values: Any) -> str:
        """The name of the dtype; TypeError unless they are dense."""

    def same_shape(self, a: Any, b: Any) -> bool:
        """Whether they may be of one shape, as far as both are known."""

    def differs(self, values: Any, value: float) -> Any:
        """Where they are not this value, in their own dtype."""

    def sizes(self, x: Any) -> list[Any]:
        """Of every axis; a tensor where only run time knows."""

    def known_axis(self, axis: Any) -> Any:
        """What a tensor or an array holds, as Python has it; all else as it is."""

    def known_number(self, scalar: Any) -> float | None:
        """What it holds; None if only run time knows."""

    def wide(self, scalar: Any) -> Any:
        """In float64, as far as the framework has that."""

    def numbers(self, *numbers: Any) -> Any:
        """Floats or scalars, as the kernels take them."""

    # As NumPy has them, under one name.
    tensor: Any
    cast: Any
    expand_dims: Any
    squeeze: Any
    reshape: Any
    transpose: Any
    broadcast_to: Any
    ones_like: Any
    is_nan: Any
    where: Any
    total: Any
    any_along: Any
    divide_no_nan: Any


class Inputs(NamedTuple):
    """What an implementation takes. The mask is True where an element counts."""

    y_true: Any
    y_pred: Any
    mask: Any
    options: TailOptions


def require_dtypes(
    tensors: Tensors, y_true: Any, y_pred: Any, ignore_value: float | None = None
) -> None:
    """As `_checks.require_dtypes`, of tensors."""
    dtypes = tensors.dtype_of("y_true", y_true), tensors.dtype_of("y_pred", y_pred)
    _checks.require_dtypes(*dtypes, ignore_value)


def _as_mask(tensors: Tensors, mask: Any, predictions: Any) -> Any:
    dtype = tensors.dtype_of("mask", mask)
    if dtype != "bool":
        raise TypeError(f"mask of dtype {dtype}: must be bool")
    kept = _checks.like(tensors, tensors.tensor(mask), predictions)
    if not tensors.same_shape(kept, predictions):
        raise ValueError(f"mask of shape {kept.shape}: must be that of y_pred, {predictions.shape}")
    return kept


def _both(mask: Any, other: Any) -> Any:
    return other if mask is None else mask & other


def as_inputs(
    tensors: Tensors, y_true: Any, y_pred: Any, options: TailOptions, mask: Any = None
) -> Inputs:
    """Both as tensors of y_pred's dtype, of the same shape as far as it is known.

    Where no target is read, y_true is y_pred.

    Raises:
        TypeError: y_pred is not floating, y_true is not real, or the mask is not boolean.
        ValueError: The shapes differ, or have no such axis.
    """
    require_dtypes(tensors, y_true, y_pred, options.ignore_value)
    options = options.read(tensors.tensor, tensors.known_number)
    predictions, targets = tensors.tensor(y_pred), tensors.tensor(y_true)
    given = targets.shape, predictions.shape
    targets, predictions = _checks.same_rank(tensors, targets, predictions)
    if not tensors.same_shape(targets, predictions):
        raise _checks.shapes_differ(*given)
    require_rank_of(options.axis, _checks.rank_of(predictions.shape))
    kept = None if mask is None else _as_mask(tensors, mask, predictions)
    if not options.reads_targets:
        return Inputs(predictions, predictions, kept, options)
    if options.ignore_value is not None and targets.dtype != predictions.dtype:
        # Before the cast, which may make other targets equal to the value.
        kept = _both(kept, tensors.differs(targets, options.ignore_value))
        options = replace(options, ignore_value=None)
    return Inputs(tensors.cast(targets, predictions.dtype), predictions, kept, options)


def valid_elements(tensors: Tensors, inputs: Inputs) -> Any:
    """Which elements are not ignored; None if all count."""
    y_true, y_pred, valid, options = inputs
    if options.ignore_value is not None:
        valid = _both(valid, tensors.differs(y_true, options.ignore_value))
    if options.ignore_nan:
        valid = _both(valid, ~(tensors.is_nan(y_true) | tensors.is_nan(y_pred)))
    return valid


def valid(tensors: Tensors, y_true: Any, y_pred: Any, options: TailOptions) -> Any:
    """Which elements are not ignored, of y_pred's shape."""
    inputs = as_inputs(tensors, y_true, y_pred, options)
    found = valid_elements(tensors, inputs)
    return tensors.ones_like(inputs.y_pred, dtype=bool) if found is None else found
