"""What JAX does with a window of errors: `tailops._functionals.WindowSteps`."""

import functools
from typing import Any, NoReturn

import jax
import jax.numpy as jnp

from tailops._inputs import Inputs
from tailops._options import TailOptions
from tailops._ranges import Range
from tailops._windows import NOT_TRAINED
from tailops.jax import _arrays, _custom_calls, _range_calls, _union_calls
from tailops.jax._float64 import numbers_of
from tailops.jax._range_mean import masks_of, words_of_bounds


def remember(batch: Inputs, errors: Any, written: Any, frozen: bool) -> tuple[Any, Any, Any]:
    """The window behind a batch, and where it is filled."""
    y_true, y_pred = jax.lax.stop_gradient((batch.y_true, batch.y_pred))
    window, count = _union_calls.remember(
        y_true, y_pred, errors, written, masks_of(batch.mask), batch.options.known(), frozen
    )
    return window, count, jnp.arange(window.size, dtype=window.dtype) < count


@functools.partial(jax.custom_vjp, nondiff_argnums=(5,))
def _losses(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, state: Any, options: TailOptions
) -> Any:
    return _union_calls.TailSteps(y_true, y_pred, numbers, mask, options).losses(state)


def _losses_forward(
    y_true: Any, y_pred: Any, numbers: Any, mask: Any, state: Any, options: TailOptions
) -> Any:
    saved = y_true, y_pred, numbers, mask, state
    return _losses(*saved, options), saved


def _losses_backward(options: TailOptions, saved: Any, upstream: Any) -> Any:
    y_true, y_pred, numbers, mask, state = saved
    gradient = _custom_calls.backward(
        upstream, y_true, y_pred, numbers, mask, state, options, "none"
    )
    return -gradient if options.reads_targets else None, gradient, None, None, None


_losses.defvjp(_losses_forward, _losses_backward)


def losses(batch: Inputs, errors: Any, filled: Any) -> Any:
    """Of each element, by the threshold of the window."""
    of_window, errors = batch.options.of_errors(), jax.lax.stop_gradient(errors)
    _, state = _custom_calls.forward(
        errors, errors, numbers_of(of_window), (filled,), of_window.known(), "sum"
    )
    numbers, masks = numbers_of(batch.options), masks_of(batch.mask)
    return _losses(batch.y_true, batch.y_pred, numbers, masks, state, batch.options.known())


def range_weights(values: Any, mask: Any, errors: Any, filled: Any, part: Range) -> Any:
    """The weights of values in the mean of a part of the window, times how many that has."""
    words = words_of_bounds(part.bounds(_arrays))
    _, state = _range_calls.forward(errors, words, (filled,), part.kind, None)
    count = jnp.sum(filled, dtype=errors.dtype)
    constant = jax.lax.stop_gradient(values)
    return _range_calls.backward(count, constant, state, masks_of(mask), part.kind, None)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def not_trained(x: Any) -> Any:
    """The array, whose gradient is an error."""
    return x


def _no_gradient(*_: Any) -> NoReturn:
    raise ValueError(NOT_TRAINED)


not_trained.defvjp(lambda x: (x, None), _no_gradient)
