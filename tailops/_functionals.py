"""Functions of values and of the tail of them, for every framework: checks, groups, reductions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

from tailops import _weighted as _weighted_tail
from tailops._axes import as_given, as_one_axis, reduced_axes
from tailops._checks import FLOATING, rank_of, require_one_of
from tailops._inputs import Inputs, Tensors
from tailops._options import TailOptions
from tailops._ranges import Range
from tailops._weights import SYNCHRONIZED_WEIGHTS, weights_of_rows

__all__ = ["TEXTS", "Framework", "Values", "as_values", "range_mean", "tail_mask", "tail_weighted"]

REDUCTIONS = ("none", "mean", "sum")
# In which sums would overflow, and weights of many be rounded to 0.
_NARROW = ("float16", "bfloat16")

# What is said of the public functions' arguments.
TEXTS = {
    "values": "Real numbers, one per sample, pixel or token, in any units: float32, float64, or "
    "float16 or bfloat16, which are computed in float32.",
    "axis": "What shares a selection: an integer, a tuple of integers, or None, all values. "
    "`(1, 2)` of (batch, height, width) makes a group of each image.",
    "mask": "Booleans of values' shape: True where a value counts, False where it is ignored: in "
    "no number of values, no selection and no sum, with a gradient of 0. None: all count.",
    "reduction": '"none" (one result per group), "mean" (over the groups that have a value that '
    'counts; of none, 0) or "sum".',
    "lower": "a, in [0, 1): the share of the values, the smallest, that is left out. Like all "
    "numbers here also a scalar tensor or a variable, read at each step; without a gradient.",
    "upper": "b, in (a, 1]: where the range ends; 1: with the largest value.",
    "percentile": "p, a fraction in [0, 1): the share of the values, the smallest, that is left "
    "out. Also a scalar tensor or a variable, read at each step; without a gradient.",
    "k": "How many, above 0 and at most the number of values that count in every group; need not "
    "be whole. Also a scalar tensor or a variable, read at each step; without a gradient.",
    "fraction": "f, in [0, 1): the share of the values, the largest, that is left out. Also a "
    "scalar tensor or a variable, read at each step; without a gradient.",
    "threshold": "θ, in units of the values: what is at least as large is kept; None: infinite, so "
    "that `min_kept` alone decides. Also a scalar tensor or a variable, read at each step.",
    "synchronized": "Whether what is selected from is all replicas' shares of the batch together, "
    "exactly as if they were on one device, under `tf.distribute`; False: each replica selects "
    "from its own share. Groups within a sample, `axis` without 0, are the same either way. On JAX "
    "an array is one batch either way; True: its shards stay where they are, and none is gathered.",
    "weights": "How much each value counts: finite numbers, at least 0, of values' shape or that "
    "of the axes. A value of weight 2 counts as two, and n is what they add up to; a group of "
    "which all are 0 has the mean 0. Without a gradient. None: each counts once.",
    "min_kept": "m, a whole number, at least 1: so many are kept even if they are below the "
    "threshold; all where there are fewer. Also a scalar tensor or a variable, read at each step.",
}


class Values(NamedTuple):
    """Values as the kernels take them."""

    given: Any
    """A tensor."""
    axes: list[int]
    rows: Any
    """The same, with these axes made one."""
    axis: int | None
    """Which; None: all of it is one group."""
    mask: Any
    """Of the rows' shape, True where a value counts; None: all do."""
    weights: Any = None
    """Of the rows' shape, how much each value counts, of what is ignored 0; then no mask is there.
    None: each counts once."""


class Replicas(Protocol):
    """What the replicas that compute a step together select from, and add up."""

    @property
    def range_mean(self) -> Callable[..., Any]:
        """As of `Framework.means`, of the union of their shares."""

    @property
    def range_weights(self) -> Callable[..., Any]:
        """The same."""

    @property
    def tail_loss(self) -> Callable[..., Any]:
        """As of `Framework.tail_losses`."""

    def total(self, x: Any) -> Any:
        """The sum over all of them, on each of them."""


class WindowSteps(Protocol):
    """What a framework does with a window of errors. `filled` is True where it has one."""

    def remember(self, batch: Inputs, errors: Any, written: Any, frozen: bool) -> tuple[Any, ...]:
        """The window behind a batch: errors, written and filled."""

    def losses(self, batch: Inputs, errors: Any, filled: Any) -> Any:
        """Of each element, by the threshold of the window, a constant."""

    def range_weights(self, values: Any, mask: Any, errors: Any, filled: Any, part: Range) -> Any:
        """The weights of values in the mean of a part of the window, times how many that has."""

    def not_trained(self, x: Any) -> Any:
        """It, whose gradient is an error."""


@dataclass(frozen=True)
class Framework:
    """What a framework has.

    Attributes:
        tensors: Its tensors.
        means: For every `impl` a module with `range_mean` and `range_weights`.
        tail_losses: For every `impl` a `tail_loss`.
        window: What it does with a window of errors.
        select: Elements of x at q by `weights`: (x, q, method, axis, ignore_nan, weights).
        as_weights: Real numbers as `select` takes weights, checked as far as they are known.
        replicas: Those that compute the current step; None if there is one.
        of_every_group: Whether a group within a sample is their business, too.
    """

    tensors: Tensors
    means: Mapping[str, Any]
    tail_losses: Mapping[str, Callable[..., Any]]
    window: WindowSteps
    select: Callable[..., Any]
    as_weights: Callable[[Any], Any]
    replicas: Callable[[], Replicas | None] = lambda: None
    of_every_group: bool = False

    def others(self, given: Values, synchronized: bool, impl: str) -> Replicas | None:
        """The replicas that share the groups of these values; None if none does.

        Raises:
            ValueError: There are some, and `impl` cannot ask them.
        """
        shared = self.of_every_group or given.axis is None or 0 in given.axes
        replicas = self.replicas() if synchronized and shared else None
        if replicas is not None and impl != "fused":
            raise ValueError(f"impl={impl!r}: must be 'fused' with synchronized=True")
        return replicas

    def means_of(self, impl: str, replicas: Replicas | None) -> Any:
        """As `means`; ValueError if there is none of this name."""
        require_one_of("impl", impl, self.means)
        return self.means[impl] if replicas is None else replicas


def _mask(tensors: Tensors, mask: Any, values: Any) -> Any:
    dtype = tensors.dtype_of("mask", mask)
    if dtype != "bool":
        raise TypeError(f"mask of dtype {dtype}: must be bool")
    kept = tensors.tensor(mask)
    if not tensors.same_shape(kept, values):
        raise ValueError(f"mask of shape {kept.shape}: must be that of values, {values.shape}")
    return kept


def _known_size(tensors: Tensors, values: Any, axes: list[int]) -> int | None:
    """How many elements a group has, if that is known."""
    size, sizes = 1, tensors.sizes(values)
    for axis in axes:
        if not isinstance(sizes[axis], int):
            return None
        size *= sizes[axis]
    return size


def as_values(
    tensors: Tensors, values: Any, axis: Any, mask: Any, may_be_empty: bool = False
) -> Values:
    """The values in groups.

    Args:
        tensors: Of the framework.
        values: Any that are floating.
        axis: Which axes a group is along; None: all.
        mask: True where a value counts; None: all do.
        may_be_empty: Whether a group may have no values, if they are a share of a union.

    Raises:
        TypeError: They are not floating, the mask is not boolean, an axis is no integer.
        ValueError: There is no such axis, nothing along it, or the mask is of another shape.
    """
    dtype = tensors.dtype_of("values", values)
    if dtype not in FLOATING:
        raise TypeError(f"values of dtype {dtype}: must be one of {', '.join(FLOATING)}")
    tensor = tensors.tensor(values)
    rank = rank_of(tensor.shape)
    if rank is None:
        raise ValueError("values of unknown rank: their number of dimensions must be known")
    kept = None if mask is None else _mask(tensors, mask, tensor)
    axes = reduced_axes(tensors, axis, rank, "values")
    if _known_size(tensors, tensor, axes) == 0 and not may_be_empty:
        raise ValueError(
            f"values of shape {tuple(tensor.shape)}: there must be at least one in every group"
        )
    rows, one_axis = as_one_axis(tensors, tensor, axes)
    if kept is not None:
        kept = as_one_axis(tensors, kept, axes)[0]
    return Values(tensor, axes, rows, one_axis, kept)


def _weighted(framework: Framework, given: Values, axis: Any, weights: Any) -> Values:
    """The same with weights, in float32 at least: gradients by weights may be beyond 16 bits."""
    tensors = framework.tensors
    counts, rows = framework.as_weights(weights), given.rows
    own = weights_of_rows(tensors, counts, given.given, axis, given.axes)
    if tensors.dtype_of("values", rows) in _NARROW:
        rows = tensors.cast(rows, "float32")
    if given.mask is not None:
        own, rows = (tensors.where(given.mask, x, 0) for x in (own, rows))
    return given._replace(rows=rows, mask=None, weights=own)


def _require_so_many(
    tensors: Tensors, values: Values, part: Range, replicas: Replicas | None
) -> None:
    if replicas is not None:
        return  # the others have values too
    if values.mask is not None:
        return  # a group of which all is ignored has no k that is too large: the op knows
    size = _known_size(tensors, values.given, values.axes)
    if part.most is not None and size is not None and part.most > size:
        raise ValueError(
            f"k={part.most:g}: must be at most the number of values of a group, {size}"
        )


def _number_of_groups(
    tensors: Tensors, values: Values, means: Any, replicas: Replicas | None
) -> Any:
    """Those that have a value that counts."""
    counting = values.mask if values.weights is None else values.weights > 0
    if counting is not None:
        counts = tensors.cast(tensors.any_along(counting, values.axis), "int32")
        if replicas is not None:
            counts = tensors.cast(replicas.total(counts) > 0, "int32")
        return tensors.total(counts)
    count: Any = 1
    for size in tensors.sizes(means):
        count = count * size
    return tensors.tensor(count)


def range_mean(
    framework: Framework,
    values: Any,
    part: Range,
    axis: Any,
    mask: Any,
    reduction: str,
    impl: str,
    synchronized: bool = False,
    weights: Any = None,
) -> Any:
    """The mean of a part of every group, and those reduced."""
    require_one_of("reduction", reduction, REDUCTIONS)
    tensors = framework.tensors
    given = as_values(tensors, values, axis, mask, may_be_empty=synchronized)
    others: tuple[Any, ...] = ()
    if weights is not None:
        if synchronized:
            raise ValueError(SYNCHRONIZED_WEIGHTS)
        given = _weighted(framework, given, axis, weights)
        others = (given.weights,)
    replicas = framework.others(given, synchronized, impl)
    implementation = framework.means_of(impl, replicas)
    _require_so_many(tensors, given, part, replicas)
    means = implementation.range_mean(
        given.rows, part.bounds(tensors), part.kind, given.axis, given.mask, *others
    )
    means = tensors.cast(means, given.given.dtype)
    if reduction == "none" or given.axis is None:
        return means
    narrow = tensors.dtype_of("values", means) in _NARROW
    total = tensors.total(tensors.cast(means, "float32") if narrow else means)
    if reduction == "mean":
        count = _number_of_groups(tensors, given, means, replicas)
        total = tensors.divide_no_nan(total, tensors.cast(count, total.dtype))
    return tensors.cast(total, means.dtype)


def range_weights(
    framework: Framework, given: Values, part: Range, replicas: Replicas | None = None
) -> Any:
    """The weight of every value, in the shape of the values."""
    implementation, tensors = framework.means_of("fused", replicas), framework.tensors
    _require_so_many(tensors, given, part, replicas)
    weights = implementation.range_weights(
        given.rows, part.bounds(tensors), part.kind, given.axis, given.mask
    )
    return as_given(tensors, weights, given.given, given.axes)


def tail_mask(
    framework: Framework, values: Any, part: Range, axis: Any, mask: Any, synchronized: bool
) -> Any:
    """Where a value has a weight."""
    tensors = framework.tensors
    given = as_values(tensors, values, axis, mask, may_be_empty=synchronized)
    if tensors.dtype_of("values", given.given) in _NARROW:
        wide = tensors.cast(given.given, "float32")
        given = as_values(tensors, wide, axis, mask, may_be_empty=synchronized)
    replicas = framework.others(given, synchronized, "fused")
    return range_weights(framework, given, part, replicas) > 0


def tail_weighted(
    framework: Framework,
    values: Any,
    options: TailOptions,
    axis: Any,
    mask: Any,
    reduction: str,
    impl: str,
    window: Any = None,
    weights: Any = None,
) -> Any:
    """The tail loss of values, each its own error; sums and means are of elements."""
    require_one_of("reduction", reduction, REDUCTIONS)
    require_one_of("impl", impl, framework.tail_losses)
    tensors = framework.tensors
    given = as_values(tensors, values, axis, mask, may_be_empty=options.synchronized)
    # A last axis of 1 makes each element a sample.
    rows, kept = (
        None if x is None else tensors.expand_dims(x, -1) for x in (given.rows, given.mask)
    )
    # A window asks the replicas by itself, before it is selected from.
    synchronized = options.synchronized and window is not None
    others = window or framework.others(given, options.synchronized, impl)
    tail_loss = framework.tail_losses[impl] if others is None else others.tail_loss
    if weights is not None:
        counts = framework.as_weights(weights)
        own = weights_of_rows(tensors, counts, given.given, axis, given.axes)
        own = tensors.expand_dims(own, -1)
        tail_loss = partial(_weighted_tail.tail_loss, framework, weights=own)
    chosen = replace(options, axis=given.axis, synchronized=synchronized)
    losses = tail_loss(rows, rows, chosen, reduction=reduction, mask=kept)
    if reduction != "none":
        return losses
    return as_given(
        tensors, tensors.reshape(losses, tensors.sizes(given.rows)), given.given, given.axes
    )
