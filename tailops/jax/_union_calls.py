"""The custom calls under the union of shares: steps for `tailops._synchronized`.

What is added up over replicas is int32, of which JAX's sums are exact with and without its x64
mode: a count is two of them, a float64 as many as hold all of its bits wherever its point is. So
what is found does not depend on the order in which replicas are added up, nor on their number.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tailops import _kernels
from tailops._axes import shape_of_groups
from tailops._options import TailOptions
from tailops._state import words
from tailops._synchronized import AllReduce
from tailops.jax import _custom_calls, _range_calls
from tailops.jax._targets import register, undifferentiated, varying_as

register(
    *(
        f"tailops_union_{step}"
        for step in (
            "histogram",
            "descend",
            "state",
            "tail_loss",
            "remember",
            "slopes",
            "tail_loss_grad",
            "range_descend",
            "range_sums",
            "range_mean",
        )
    )
)


def _call(step: str, results: Any, attributes: dict[str, Any], *arguments: Any) -> Any:
    def call(*given: Any) -> Any:
        made = jax.ffi.ffi_call(f"tailops_union_{step}", results, vmap_method="sequential")
        return varying_as(given, made(*given, **attributes))

    return undifferentiated(call, *arguments)


class _Search:
    """What a search needs to know, for `_synchronized.Search`."""

    def __init__(self, y_true: Any, y_pred: Any, mask: Any, options: TailOptions) -> None:
        self.y_true, self.y_pred, self.mask, self.options = y_true, y_pred, mask, options
        self.key_bits = 64 if y_pred.dtype == jnp.float64 else 32
        self.rounds = _kernels.union_rounds(self.key_bits)
        self.groups = math.prod(shape_of_groups(y_pred.shape, options.axis))
        self._searches = jax.ShapeDtypeStruct((self.groups, 2 * _kernels.UNION_COLUMNS), jnp.uint32)

    def _attributes(self, **more: int) -> dict[str, Any]:
        return _custom_calls.attributes_of(self.options, "none", key_bits=self.key_bits, **more)

    def _before(self, search: Any) -> Any:
        return jnp.zeros(self._searches.shape, jnp.uint32) if search is None else search

    def _numbers(self, columns: int) -> Any:
        """A row of float64 for each group, in parts."""
        return jax.ShapeDtypeStruct((self.groups, columns, _kernels.NUMBER_PARTS), jnp.int32)

    def _counts(self, number: int, search: Any, targets: int) -> Any:
        columns = _kernels.union_count_columns(self.key_bits, number, targets)
        return _call(
            "histogram",
            jax.ShapeDtypeStruct((self.groups, columns, 2), jnp.int32),
            self._attributes(round=number, targets=targets),
            self.y_true,
            self.y_pred,
            self._before(search),
            *self.mask,
        )


class TailSteps(_Search):
    """`_synchronized.TailSteps` by custom calls.

    Args:
        y_true: The share's targets.
        y_pred: The share's predictions.
        numbers: The words of the options' numbers, in place of those: a tuple of one or none.
        mask: A tuple of one or none.
        options: All of them known.
    """

    def __init__(
        self, y_true: Any, y_pred: Any, numbers: Any, mask: Any, options: TailOptions
    ) -> None:
        super().__init__(y_true, y_pred, mask, options)
        self.others = *numbers, *mask
        self.numbers = numbers
        self.exact = options.gradient == "exact"
        self._targets = _kernels.union_targets(options.for_kernels())

    def counts(self, number: int, search: Any) -> Any:
        return self._counts(number, search, self._targets)

    def _with_numbers(self, **more: int) -> dict[str, Any]:
        return self._attributes(scheduled=len(self.numbers), **more)

    def descend(self, number: int, counts: Any, search: Any) -> Any:
        attributes = self._with_numbers(round=number, targets=self._targets)
        before = self._before(search)
        return _call("descend", self._searches, attributes, counts, before, *self.numbers)

    def state(self, search: Any) -> Any:
        result = jax.ShapeDtypeStruct(words(self.groups), jnp.uint32)
        return _call("state", result, self._with_numbers(), search, *self.numbers)

    def _of_elements(self) -> Any:
        return jax.ShapeDtypeStruct(self.y_pred.shape, self.y_pred.dtype)

    def losses(self, state: Any) -> Any:
        return _call(
            "tail_loss",
            self._of_elements(),
            self._with_numbers(),
            self.y_true,
            self.y_pred,
            state,
            *self.others,
        )

    def slopes(self, upstream: Any, state: Any) -> Any:
        return _call(
            "slopes",
            self._numbers(_kernels.SLOPE_COLUMNS),
            self._with_numbers(),
            upstream,
            self.y_true,
            self.y_pred,
            state,
            *self.others,
        )

    def gradient(self, upstream: Any, state: Any, slopes: Any) -> Any:
        if slopes is None:
            slopes = jnp.zeros(self._numbers(_kernels.SLOPE_COLUMNS).shape, jnp.int32)
        return _call(
            "tail_loss_grad",
            self._of_elements(),
            self._with_numbers(),
            upstream,
            self.y_true,
            self.y_pred,
            state,
            slopes,
            *self.others,
        )


class RangeSteps(_Search):
    """`_synchronized.RangeSteps` by custom calls. `mask` is a tuple of one or none.

    Args:
        values: The share's.
        bounds: Two float64, each as two uint32.
        mask: Of the values.
        kind: Of the bounds.
        axis: Along which the groups are.
        is_total: Whether what arrives at a mean is what arrives on all replicas.
    """

    def __init__(
        self, values: Any, bounds: Any, mask: Any, kind: str, axis: int | None, is_total: bool
    ) -> None:
        super().__init__(values, values, mask, TailOptions(error="value", axis=axis))
        self.bounds, self.kind, self.axis, self.is_total = bounds, kind, axis, is_total
        self._targets = _kernels.range_targets(kind)

    def _range(self, **more: int) -> dict[str, Any]:
        numbers = {name: np.int64(value) for name, value in more.items()}
        return numbers | _range_calls.attributes_of(self.kind, self.axis)

    def counts(self, number: int, search: Any) -> Any:
        return self._counts(number, search, self._targets)

    def descend(self, number: int, counts: Any, search: Any) -> Any:
        attributes = self._range(round=number, targets=self._targets, key_bits=self.key_bits)
        before = self._before(search)
        return _call("range_descend", self._searches, attributes, counts, self.bounds, before)

    def sums(self, search: Any) -> Any:
        result = self._numbers(_kernels.RANGE_SUM_COLUMNS)
        return _call(
            "range_sums", result, self._range(), self.y_pred, self.bounds, search, *self.mask
        )

    def mean(self, search: Any, sums: Any) -> tuple[Any, Any]:
        group_shape = _range_calls.groups_of(self.y_pred.shape, self.axis).shape
        results = (
            jax.ShapeDtypeStruct(group_shape, self.y_pred.dtype),
            jax.ShapeDtypeStruct((self.groups, 2 * _kernels.RANGE_COLUMNS), jnp.uint32),
        )
        mean, state = _call("range_mean", results, self._range(), self.bounds, search, sums)
        return mean, state

    def total(self, upstream: Any, all_reduce: AllReduce) -> Any:
        if self.is_total:
            return upstream
        wide = upstream.astype(jnp.promote_types(upstream.dtype, jnp.float32))
        return all_reduce(wide).astype(upstream.dtype)

    def gradient(self, upstream: Any, state: Any) -> Any:
        return _range_calls.backward(upstream, self.y_pred, state, self.mask, self.kind, self.axis)


def remember(
    y_true: Any,
    y_pred: Any,
    errors: Any,
    written: Any,
    mask: Any,
    options: TailOptions,
    frozen: bool,
) -> tuple[Any, Any]:
    """A window behind a batch: its errors, and how many have been written.

    Args:
        y_true: The batch's targets.
        y_pred: Its predictions.
        errors: The window's before it.
        written: As csrc/formulas/window.h counts them.
        mask: A tuple of one or none.
        options: All of them known.
        frozen: Whether only an empty window is written to.
    """
    attributes = _custom_calls.attributes_of(options, "none", scheduled=0, frozen=int(frozen))
    results = tuple(jax.ShapeDtypeStruct(x.shape, x.dtype) for x in (errors, written))
    window, count = _call("remember", results, attributes, y_true, y_pred, errors, written, *mask)
    return window, count
