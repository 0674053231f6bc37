"""Forward mode of the tail loss, from the calls that there are.

Of one loss of many elements the gradient is a call, and what it makes of a direction a sum. Of many
losses each depends on its own element and on the threshold t of all:

    L̇ = W·ŷ̇ + S·(ė − ṫ)

with W the gradient of "fixed_weight", and S what that of "fixed_threshold" has besides, by the
error. What is the threshold does not move against it: the product is exactly 0, however steep the
step is.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from tailops._inputs import Inputs, valid_elements
from tailops._options import MAX_FRACTION, TailOptions
from tailops._reductions import reduced
from tailops.jax import _arrays
from tailops.jax._custom_calls import backward, forward
from tailops.jax._float64 import number_of, words_of
from tailops.jax._select import select_by_words


class Saved(NamedTuple):
    """What is known of a loss. Of numbers and mask there is one or none, in a tuple."""

    y_true: Any
    y_pred: Any
    numbers: Any
    mask: Any
    state: Any

    def gradient(self, upstream: Any, options: TailOptions, reduction: str) -> Any:
        """Of Σ upstream · loss by y_pred, one call."""
        return backward(upstream, *self, options, reduction)

    def widened(self) -> "Saved":
        """In float32 at least, as the kernels compute: sums of many would be nothing in 16 bits."""
        wide = jnp.promote_types(self.y_pred.dtype, jnp.float32)
        return self._replace(y_true=self.y_true.astype(wide), y_pred=self.y_pred.astype(wide))


def _moved_by(slopes: Any, direction: Any) -> Any:
    """Their products; 0 where nothing moves, in whatever direction."""
    return jnp.where(slopes == 0, 0, slopes * direction)


def _errors(saved: Saved, options: TailOptions) -> tuple[Any, Any]:
    """Of every element e, bit for bit, and ∂e/∂ŷ: of losses in which nothing is weighted."""
    plain = replace(options, error_scale=0.0, beta=0.0, gradient="fixed_weight")
    unweighted = saved._replace(numbers=tuple(words.at[4:].set(0) for words in saved.numbers))
    errors, state = forward(*unweighted[:4], plain, "none")
    slopes = unweighted._replace(state=state).gradient(jnp.ones_like(errors), plain, "none")
    return errors, slopes


def _moved_threshold(
    errors: Any, moved: Any, saved: Saved, valid: Any, options: TailOptions
) -> Any:
    """Where a direction of the errors moves every group's t."""
    if valid is not None:
        errors = jnp.where(valid, errors, jnp.nan)
    words = saved.numbers[0][:2] if saved.numbers else words_of(options.percentile)
    is_maximum = options.method == MAX_FRACTION
    method = "rank_from_top" if is_maximum else options.method
    q = words_of(0) if is_maximum else words

    def select(errors: Any) -> Any:
        return select_by_words(errors, q, method, options.axis, ignore_nan=True)

    _, of_groups = jax.jvp(select, (errors,), (moved,))
    if is_maximum:
        of_groups = of_groups * number_of(words).astype(of_groups.dtype)
    return of_groups if options.axis is None else jnp.expand_dims(of_groups, options.axis)


def _of_elements(saved: Saved, options: TailOptions, valid: Any, direction: Any) -> Any:
    """What a direction of y_pred makes of every element's loss."""
    ones = jnp.ones_like(saved.y_pred)
    if options.gradient != "exact":
        return _moved_by(saved.gradient(ones, options, "none"), direction)
    by_weight, by_error = (
        saved.gradient(ones, replace(options, gradient=gradient), "none")
        for gradient in ("fixed_weight", "fixed_threshold")
    )
    errors, slopes = _errors(saved, options)
    spike = jnp.where(slopes == 0, 0, (by_error - by_weight) / jnp.where(slopes == 0, 1, slopes))
    moved = _moved_by(slopes, direction)
    against = moved - _moved_threshold(errors, moved, saved, valid, options)
    return _moved_by(by_weight, direction) + jnp.where(against == 0, 0, _moved_by(spike, against))


def moved_loss(saved: Saved, options: TailOptions, reduction: str, direction: Any) -> Any:
    """What a direction of y_pred makes of the loss.

    Args:
        saved: Of the loss.
        options: All of them known, but for numbers.
        reduction: Of the losses.
        direction: Of y_pred's shape.
    """
    wide = saved.widened()
    direction = direction.astype(wide.y_pred.dtype)
    if reduction in ("mean", "sum"):
        one = jnp.ones((), wide.y_pred.dtype)
        return jnp.sum(_moved_by(wide.gradient(one, options, reduction), direction))
    mask = wide.mask[0] if wide.mask else None
    valid = valid_elements(_arrays, Inputs(wide.y_true, wide.y_pred, mask, options))
    elements = _of_elements(wide, options, valid, direction)
    return reduced(_arrays, elements, valid, reduction)
