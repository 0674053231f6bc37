"""The tail of any values: their mean between two quantiles, or all of them, weighted.

Values are what a loss is before it is averaged: one per sample, pixel or token. Nothing is sorted:
two order statistics are found in one selection, and the values between them added up.
"""

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tailops import _functionals, _ranges
from tailops._families import TAIL_OF_VALUES, documented
from tailops._functionals import TEXTS
from tailops._tensorflow import tensors
from tailops._tensorflow.functionals import TENSORFLOW
from tailops._tensorflow.symbolic import takes_symbolic_tensors

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


@takes_symbolic_tensors
@documented(texts=TEXTS)
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
    weights: Any = None,
) -> tf.Tensor:
    """The mean of the values between two quantiles of them.

    With the n values of a group that count in ascending order, v₍₀₎ ≤ … ≤ v₍ₙ₋₁₎:

        M(a, b) = Σ mᵢ·v₍ᵢ₎ / ((b − a)·n),  mᵢ = |[i, i + 1] ∩ [a·n, b·n]|

    An element that the range begins or ends in counts with the part of it that is inside. Equal
    values share the masses of their positions equally; ∂M/∂v of an element is its mass by
    (b − a)·n: a weight, and a group's weights add up to 1.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        Of values' dtype: their shape without the axes, or a scalar if reduced. 0 for a group of
        which all is ignored; NaN for one with a NaN that counts. Infinite values order as numbers,
        and add nothing where they are left out.

    Raises:
        TypeError: The values are not floating, or an argument is not of its type.
        ValueError: A number is out of range, there is no such axis, or nothing along it.
        tf.errors.InvalidArgumentError: The same where only run time knows. Inside XLA on a GPU,
            where it would have to wait, the group's result and gradient are NaN.

    Example:
        >>> float(range_mean([4.0, 1.0, 2.0, 8.0, 3.0], 0.2, 0.8))  # of 2, 3, 4
        3.0
        >>> images = tf.random.stateless_uniform((8, 64, 64), (0, 0))
        >>> range_mean(images, 0.5, 1.0, axis=(1, 2)).shape
        TensorShape([8])

    Source: Rockafellar and Uryasev, Conditional value-at-risk for general loss distributions,
    Journal of Banking & Finance 26, 2002, for the parts of elements.
    """
    part = _ranges.between(tensors, lower, upper)
    return _functionals.range_mean(
        TENSORFLOW, values, part, axis, mask, reduction, impl, synchronized, weights
    )


@takes_symbolic_tensors
@documented(texts=TEXTS)
def cvar(
    values: Any,
    percentile: Any = 0.95,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    weights: Any = None,
) -> tf.Tensor:
    """The mean of the largest share 1 − p of the values: conditional value at risk, superquantile.

    It is `range_mean(values, p, 1)`. Its gradient is 1/((1 − p)·n) for each of the (1 − p)·n
    largest, and 0 elsewhere.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> round(float(cvar([1.0, 2.0, 3.0, 4.0], 0.7)), 4)  # (0.2 · 3 + 4) / 1.2
        3.8333

    Source: Rockafellar and Uryasev, Optimization of conditional value-at-risk, Journal of Risk 2,
    2000.
    """
    part = _ranges.beyond(tensors, percentile)
    return _functionals.range_mean(
        TENSORFLOW, values, part, axis, mask, reduction, impl, synchronized, weights
    )


@takes_symbolic_tensors
@documented(texts=TEXTS)
def average_top_k(
    values: Any,
    k: Any,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
) -> tf.Tensor:
    """The mean of the k largest values; of k = n the mean, of k = 1 the maximum.

    Where several equal the k-th largest and not all of them are among the k, the places that are
    left are split equally: the gradient does not depend on the order of the elements.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> float(average_top_k([5.0, 1.0, 3.0, 4.0], 2))
        4.5

    Source: Fan, Lyu, Ying and Hu, Learning with average top-k loss, NeurIPS 2017.
    """
    part = _ranges.largest(tensors, k)
    return _functionals.range_mean(
        TENSORFLOW, values, part, axis, mask, reduction, impl, synchronized
    )


@takes_symbolic_tensors
@documented(texts=TEXTS)
def trimmed_mean(
    values: Any,
    fraction: Any = 0.1,
    axis: Any = None,
    *,
    mask: Any = None,
    reduction: str = "none",
    impl: str = "fused",
    synchronized: bool = False,
    weights: Any = None,
) -> tf.Tensor:
    """The mean of the values without the largest share f of them: what outliers do not reach.

    It is `range_mean(values, 0, 1 − f)`.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> float(trimmed_mean([1.0] * 8 + [100.0] * 2, 0.2))
        1.0

    Source: Rousseeuw, Least median of squares regression, JASA 79, 1984, for the least trimmed
    squares, which this is of squared residuals.
    """
    part = _ranges.smallest_share(tensors, fraction)
    return _functionals.range_mean(
        TENSORFLOW, values, part, axis, mask, reduction, impl, synchronized, weights
    )


@takes_symbolic_tensors
@documented(texts=TEXTS)
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
) -> tf.Tensor:
    """The mean of the values that reach a threshold, but of no fewer than m: hard examples.

    With t = min(θ, the m-th largest value that counts), or the smallest of them where there are
    fewer than m, the mean of all v ≥ t, with everything that ties.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        As `range_mean`.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> values = [0.1, 0.9, 0.8, 0.2]
        >>> round(float(ohem(values, 0.7)), 2)  # of 0.9 and 0.8
        0.85
        >>> round(float(ohem(values, 0.7, min_kept=3)), 4)  # and of 0.2
        0.6333

    Source: Shrivastava, Gupta and Girshick, Training region-based object detectors with online hard
    example mining, CVPR 2016; with a threshold and a least number as in semantic segmentation.
    """
    part = _ranges.at_least(tensors, threshold, min_kept)
    return _functionals.range_mean(
        TENSORFLOW, values, part, axis, mask, reduction, impl, synchronized
    )


@takes_symbolic_tensors
@documented(texts=TEXTS)
def tail_mask(
    values: Any,
    lower: Any = 0.95,
    upper: Any = 1.0,
    axis: Any = None,
    *,
    mask: Any = None,
    synchronized: bool = False,
) -> tf.Tensor:
    """Which values `range_mean(values, lower, upper)` is of, also in part.

    Args:
        ...: `help()` describes it, from the table of `tailops._functionals`.

    Returns:
        Booleans of values' shape; False throughout a group with a NaN that counts. Where values
        that tie share a part of the range, all of them are True.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> tail_mask([4.0, 1.0, 2.0, 8.0], 0.5).numpy().tolist()
        [True, False, False, True]
    """
    part = _ranges.between(tensors, lower, upper)
    return _functionals.tail_mask(TENSORFLOW, values, part, axis, mask, synchronized)


@takes_symbolic_tensors
@documented(TAIL_OF_VALUES, TEXTS | {"percentile": TAIL_OF_VALUES.arguments["percentile"].text})
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
    **options: "Unpack[ValueOptions]",
) -> tf.Tensor:
    """The values, those above a percentile of them weighted more.

    As `tailops.losses.percentile_loss` of the errors that the values are:

        t = the percentile p of the group's values
        h = ½(1 + tanh(κ(v − t)))        1 in the tail, 0 below, ½ at t
        ℓ = v(1 + s·h)

    Args:
        ...: `help()` describes it, from the tables of `tailops._functionals` and `_families`.

    Returns:
        Of values' dtype and shape, or a scalar if reduced: "mean" and "sum" are of all values that
        count. NaN throughout a group with a NaN.

    Raises:
        TypeError, ValueError, tf.errors.InvalidArgumentError: As `range_mean`.

    Example:
        >>> tail_weighted([1.0, 2.0, 4.0], smoothing_factor=5.0, error_scale=2.0).numpy().tolist()
        [1.0, 2.0, 8.0]
    """
    chosen = TAIL_OF_VALUES.options(percentile, smoothing_factor, error_scale, **options)
    return _functionals.tail_weighted(TENSORFLOW, values, chosen, axis, mask, reduction, impl)
