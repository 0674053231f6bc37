"""The tail of any values, as functions of JAX arrays."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax

from tailops import _functionals, _ranges
from tailops._checks import boolean
from tailops._families import TAIL_OF_VALUES, documented
from tailops._functionals import TEXTS
from tailops.jax import _arrays
from tailops.jax._functionals import framework_of
from tailops.jax._tail_loss import AXIS_NAME, SYNCHRONIZED

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tailops._families import ValueOptions

__all__ = [
    "average_top_k",
    "cvar",
    "ohem",
    "range_mean",
    "tail_mask",
    "tail_weighted",
    "trimmed_mean",
]

_TEXTS = TEXTS | {
    "axis_name": AXIS_NAME,
    "synchronized": SYNCHRONIZED,
    "impl": '"fused"; the reference, in plain ops, is TensorFlow\'s: `tailops.ops`.',
}


@documented(texts=_TEXTS)
def range_mean(
    values: Any,
    lower: Any,
    upper: Any,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    axis_name: Any = None,
    weights: Any = None,
) -> jax.Array:
    """The mean of the values between two quantiles of them.

    With the n values of a group that count in ascending order, v₍₀₎ ≤ … ≤ v₍ₙ₋₁₎:

        M(a, b) = Σ mᵢ·v₍ᵢ₎ / ((b − a)·n),  mᵢ = |[i, i + 1] ∩ [a·n, b·n]|

    Equal values share the masses of their positions equally; ∂M/∂v of an element is its mass by
    (b − a)·n. The numbers may be traced; `axis`, `reduction` and `impl` are static. Under
    `jax.vmap` every slice is a group of its own, and all are one call. Derivatives are forward and
    in reverse, and of any order, those beyond the first zero; in reverse only with `axis_name`.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        Of values' dtype: their shape without the axes, or a scalar if reduced. 0 for a group of
        which all is ignored; NaN for one with a NaN that counts.

    Raises:
        TypeError: The values are not floating, or an argument is not of its type.
        ValueError: A number is out of range, there is no such axis, or nothing along it.
        jax.errors.JaxRuntimeError: The same where only run time knows. On a GPU the group's result
            and gradient are NaN instead.

    Example:
        >>> import jax.numpy as jnp
        >>> values = jnp.array([4.0, 1.0, 2.0, 8.0, 3.0])
        >>> float(range_mean(values, 0.2, 0.8))  # of 2, 3, 4
        3.0
        >>> jax.grad(range_mean)(values, 0.4, 0.8).tolist()
        [0.5, 0.0, 0.0, 0.0, 0.5]

    Source: as `tailops.ops.range_mean`.
    """
    part = _ranges.between(_arrays, lower, upper)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.range_mean(
        framework_of(axis_name), values, part, axis, mask, reduction, impl, shared, weights
    )


@documented(texts=_TEXTS)
def cvar(
    values: Any,
    percentile: Any = 0.95,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    axis_name: Any = None,
    weights: Any = None,
) -> jax.Array:
    """The mean of the largest share 1 − p of the values: conditional value at risk, superquantile.

    It is `range_mean(values, p, 1)`.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `range_mean`.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(cvar(jnp.array([1.0, 2.0, 3.0, 4.0]), 0.7)), 4)  # (0.2 · 3 + 4) / 1.2
        3.8333

    Source: as `tailops.ops.cvar`.
    """
    part = _ranges.beyond(_arrays, percentile)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.range_mean(
        framework_of(axis_name), values, part, axis, mask, reduction, impl, shared, weights
    )


@documented(texts=_TEXTS)
def average_top_k(
    values: Any,
    k: Any,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    axis_name: Any = None,
) -> jax.Array:
    """The mean of the k largest values; of k = n the mean, of k = 1 the maximum.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `range_mean`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(average_top_k(jnp.array([5.0, 1.0, 3.0, 4.0]), 2))
        4.5

    Source: as `tailops.ops.average_top_k`.
    """
    part = _ranges.largest(_arrays, k)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.range_mean(
        framework_of(axis_name), values, part, axis, mask, reduction, impl, shared
    )


@documented(texts=_TEXTS)
def trimmed_mean(
    values: Any,
    fraction: Any = 0.1,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    axis_name: Any = None,
    weights: Any = None,
) -> jax.Array:
    """The mean of the values without the largest share f of them: what outliers do not reach.

    It is `range_mean(values, 0, 1 − f)`.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `range_mean`.

    Example:
        >>> import jax.numpy as jnp
        >>> float(trimmed_mean(jnp.array([1.0] * 8 + [100.0] * 2), 0.2))
        1.0

    Source: as `tailops.ops.trimmed_mean`.
    """
    part = _ranges.smallest_share(_arrays, fraction)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.range_mean(
        framework_of(axis_name), values, part, axis, mask, reduction, impl, shared, weights
    )


@documented(texts=_TEXTS)
def ohem(
    values: Any,
    threshold: Any = None,
    min_kept: Any = 1,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    axis_name: Any = None,
) -> jax.Array:
    """The mean of the values that reach a threshold, but of no fewer than m: hard examples.

    With t = min(θ, the m-th largest value that counts), or the smallest of them where there are
    fewer than m, the mean of all v ≥ t, with everything that ties.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `range_mean`.

    Example:
        >>> import jax.numpy as jnp
        >>> round(float(ohem(jnp.array([0.1, 0.9, 0.8, 0.2]), 0.7)), 2)  # of 0.9 and 0.8
        0.85

    Source: as `tailops.ops.ohem`.
    """
    part = _ranges.at_least(_arrays, threshold, min_kept)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.range_mean(
        framework_of(axis_name), values, part, axis, mask, reduction, impl, shared
    )


@documented(texts=_TEXTS)
def tail_mask(
    values: Any,
    lower: Any = 0.95,
    upper: Any = 1.0,
    axis: Any = None,
    *,
    mask: Any = None,
    synchronized: bool = False,
    axis_name: Any = None,
) -> jax.Array:
    """Which values `range_mean(values, lower, upper)` is of, also in part.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        Booleans of values' shape; False throughout a group with a NaN that counts.

    Raises:
        TypeError, ValueError, jax.errors.JaxRuntimeError: As `range_mean`.

    Example:
        >>> import jax.numpy as jnp
        >>> tail_mask(jnp.array([4.0, 1.0, 2.0, 8.0]), 0.5).tolist()
        [True, False, False, True]
    """
    part = _ranges.between(_arrays, lower, upper)
    shared = axis_name is not None or boolean("synchronized", synchronized)
    return _functionals.tail_mask(framework_of(axis_name), values, part, axis, mask, shared)


@documented(TAIL_OF_VALUES, _TEXTS | {"percentile": TAIL_OF_VALUES.arguments["percentile"].text})
def tail_weighted(
    values: Any,
    percentile: Any = 0.95,
    smoothing_factor: Any = 100.0,
    error_scale: Any = 10.0,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    axis_name: Any = None,
    **options: "Unpack[ValueOptions]",
) -> jax.Array:
    """The values, those above a percentile of them weighted more.

    With t the percentile p of the group's values, h = ½(1 + tanh(κ(v − t))): ℓ = v(1 + s·h). p, κ
    and s may be traced, the other options are static.

    Args:
        ...: `help()` describes it, from the tables of `tailops._functionals` and `_families`.

    Returns:
        Of values' dtype and shape, or a scalar if reduced: "mean" and "sum" are of all values that
        count. NaN throughout a group with a NaN.

    Raises:
        TypeError, ValueError: An argument is not of its type or out of range.

    Example:
        >>> import jax.numpy as jnp
        >>> tail_weighted(jnp.array([1.0, 2.0, 4.0]), error_scale=2.0).tolist()
        [1.0, 2.0, 8.0]
    """
    chosen = TAIL_OF_VALUES.options(percentile, smoothing_factor, error_scale, **options)
    chosen = replace(chosen, synchronized=chosen.synchronized or axis_name is not None)
    return _functionals.tail_weighted(
        framework_of(axis_name), values, chosen, axis, mask, reduction, impl
    )
