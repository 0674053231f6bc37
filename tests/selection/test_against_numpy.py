"""Every method, dtype and mode against NumPy, also where NumPy's own arithmetic leaves the numbers.

Where NumPy's interpolation is one of finite numbers and stays finite: its bits. Elsewhere what the
contract says: an infinite element makes it that infinity, two opposite ones NaN, and two finite
ones never overflow; and the gradient is the weights, whatever the elements are.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from families import EXTREME_FAMILIES, FAMILIES, residuals
from rank_oracle import places

from tailops import build_info, kernels
from tailops._options import RANK_RULES as METHODS
from tailops._tensorflow import xla
from tailops.ops import median, nanquantile, quantile

DTYPES = ["float16", "bfloat16", "float32", "float64"]
SIZES = (1, 2, 3, 4, 7, 16, 17, 33, 70)
QS = (0.0, 1e-300, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1.0)
UPSTREAM = np.random.default_rng(0).integers(1, 9, len(QS)) / 8


def opposites(n, rng, limits):
    """Both infinities, both ends of the finite numbers, and what is next to zero."""
    ends = [np.inf, float(limits.max), float(limits.max) / 3, 0.0, 1.0]
    return rng.choice([*ends, *np.negative(ends)], n)


# Extremes of each dtype's own, which the families of `families` are of float32 and float64 only.
EXTREMES = {
    "opposites": opposites,
    "overflowing_gaps": lambda n, rng, limits: (
        rng.choice([-1, 1], n) * rng.uniform(0.6, 1.0, n) * float(limits.max)
    ),
    "over_the_whole_range": lambda n, rng, limits: (
        rng.choice([-1, 1], n) * np.exp2(rng.uniform(limits.minexp, limits.maxexp, n))
    ),
    "minus_infinity": lambda n, rng, _: np.where(rng.random(n) < 0.5, -np.inf, 4.0),
    "infinity": lambda n, rng, _: np.where(rng.random(n) < 0.5, np.inf, 4.0),
}
WITH_NAN = ("opposites", "infinity")


@functools.cache
def rows(n, dtype):
    """One of every family; and of infinities, some with NaN among them."""
    rng, limits = np.random.default_rng(n), ml_dtypes.finfo(dtype)
    extremes = {name: make(n, rng, limits) for name, make in EXTREMES.items()}
    for name in WITH_NAN:
        extremes[f"{name} and NaN"] = np.where(rng.random(n) < 0.3, np.nan, extremes[name])
    standard = [residuals(name, n, dtype) for name in (*FAMILIES, *EXTREME_FAMILIES)]
    with np.errstate(over="ignore"):
        return np.stack([*standard, *(x.astype(dtype) for x in extremes.values())])


def expected_of_row(x, method, upstream):
    """The values, what they may differ by without and with fused operations, and the gradient."""
    wide = x.dtype.type if x.dtype.itemsize >= 4 else np.float32
    ordered = np.sort(x.astype(wide))
    if np.isnan(ordered).any():
        nan = np.full(len(QS), np.nan)
        return nan, np.zeros((2, len(QS))), np.full(len(x), np.nan)
    below, weight = places(method, len(x), QS)
    lower, upper = ordered[below], ordered[np.minimum(below + 1, len(x) - 1)]
    upper = np.where(weight == 0, lower, upper)
    with np.errstate(all="ignore"):
        exact = lower * np.longdouble(1 - weight) + upper * np.longdouble(weight)
        exact = np.where(lower == upper, lower, exact)
        numpys = exact if method == "floor" else np.quantile(ordered, QS, method=method)
        same_bits = np.isfinite(lower) & np.isfinite(upper - lower) & (weight != 0)
        value = np.where(same_bits, numpys, exact).astype(wide).astype(x.dtype)
        slack = np.maximum(abs(lower), abs(upper)) * float(ml_dtypes.finfo(x.dtype).eps)
        slack = np.where(np.isfinite(slack), slack, 0)
        slack = np.stack([np.where(same_bits | (lower == upper), 0, slack), slack])
    equal = [x.astype(wide)[:, None] == element for element in (lower, upper)]
    shares = [
        same / same.sum(0) * w * upstream
        for same, w in zip(equal, (1 - weight, weight), strict=True)
    ]
    return value, slack, (shares[0] + shares[1]).sum(1)


@functools.cache
def expected(n, dtype, method, ignore_nan):
    """As `expected_of_row`, of all rows; without NaN where it is ignored."""
    x = rows(n, dtype)
    value, slack = np.full((len(QS), len(x)), np.nan), np.zeros((2, len(QS), len(x)))
    gradient = np.zeros(x.shape)
    for i, row in enumerate(x):
        kept = ~np.isnan(row) if ignore_nan else np.ones(n, bool)
        if kept.any():
            of_row = expected_of_row(row[kept], method, UPSTREAM)
            value[:, i], slack[:, :, i], gradient[i, kept] = of_row
    return value, slack, gradient


def by_tensorflow(x, ignore_nan):
    """For every method the values and the gradient."""
    function = nanquantile if ignore_nan else quantile
    upstream = tf.cast(UPSTREAM[:, None], x.dtype) * tf.ones_like(x[:, 0])
    found = {}
    for method in METHODS:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x, QS, axis=1, method=method)
        found[method] = value, tape.gradient(value, x, upstream)
    return found


def by_kernels(x, ignore_nan):
    """The same without TensorFlow, of columns."""
    columns = x.numpy().T.copy()
    upstream = np.repeat(UPSTREAM[:, None], len(x), 1)
    found = {}
    for method in METHODS:
        how = {"method": method, "axis": 0, "ignore_nan": ignore_nan}
        value, state = kernels.select_forward(columns, QS, **how)
        found[method] = value, kernels.select_backward(upstream, columns, state, axis=0).T
    return found


def by_reference(x, ignore_nan):
    """What is traced where XLA has no kernels."""
    with mock.patch.object(xla, "must_fall_back", return_value=True):
        return by_tensorflow(x, ignore_nan)


@dataclass
class Mode:
    """How the selection is run, and what is compared."""

    run: Callable[..., Any]
    sizes: tuple[int, ...] = SIZES
    subnormals: bool = True  # TensorFlow's own ops may take these for zero
    fuses: bool = False  # XLA's own code may multiply and add at once


MODES = {
    "kernels": Mode(by_kernels),
    "eager": Mode(by_tensorflow),
    "graph": Mode(tf.function(by_tensorflow, reduce_retracing=True)),
    "xla": Mode(tf.function(by_tensorflow, jit_compile=True), (1, 2, 7, 33)),
    "reference": Mode(by_reference, subnormals=False),
    "reference in xla": Mode(tf.function(by_reference, jit_compile=True), (7,), False, True),
}


def has_subnormals(x):
    """Which rows do, in what they are computed in."""
    wide = x if x.dtype.itemsize >= 4 else x.astype(np.float32)
    return ((wide != 0) & (abs(wide) < np.finfo(wide.dtype).tiny)).any(axis=1)


def assert_right(x, method, ignore_nan, found, mode):
    """Values to the bit or within their slack, gradients within the precision of their sum."""
    value, slack, gradient = expected(x.shape[1], x.dtype.name, method, ignore_nan)
    limits = ml_dtypes.finfo(x.dtype)
    near = slack[int(mode.fuses)] + (0.0 if mode.subnormals else float(limits.tiny))
    ours, slope = (np.asarray(a).astype(np.float64) for a in found)
    with np.errstate(invalid="ignore"):
        wrong = ~(
            (ours == value) | (np.isnan(value) & np.isnan(ours)) | (abs(ours - value) <= near)
        )
    details = [
        f"{method}, q={QS[i]:.3g}, {x[r]}: {ours[i, r]}, not {value[i, r]}"
        for i, r in np.argwhere(wrong)[:3]
    ]
    assert not details, "\n".join(details)
    tolerance = 4 * float(limits.eps) * UPSTREAM.sum()
    what = f"gradient of {method} of {x.shape[1]}"
    if not mode.subnormals:
        normal = ~has_subnormals(x)
        slope, gradient = slope[normal], gradient[normal]
    np.testing.assert_allclose(slope, gradient, rtol=0, atol=tolerance, err_msg=what)


# XLA takes half a minute to compile the reference: there, of each dtype one or the other.
CASES = [
    pytest.param(
        *(name, dtype, ignore_nan),
        marks=[pytest.mark.extended] * (name == "reference in xla" and dtype != "float32"),
    )
    for name in MODES
    for dtype in DTYPES
    for ignore_nan in (False, True)
    if name != "reference in xla" or ignore_nan == (dtype in ("bfloat16", "float64"))
]


@pytest.mark.parametrize(("name", "dtype", "ignore_nan"), CASES)
def test_values_and_gradients(name, dtype, ignore_nan):
    if name == "xla" and not build_info()["xla"]:
        pytest.skip("built without XLA")
    mode = MODES[name]
    for n in mode.sizes:
        x = rows(n, dtype)
        found = mode.run(tf.constant(x), ignore_nan)
        for method in METHODS:
            assert_right(x, method, ignore_nan, found[method], mode)


def test_gaps_and_infinities_by_hand():
    inf = np.inf
    for dtype, huge in (("float32", 3e38), ("bfloat16", 3e38), ("float64", 1.5e308)):
        x = tf.constant([-huge, huge], dtype)
        found = tf.cast(quantile(x, [0.25, 0.5, 0.75]), tf.float64)
        np.testing.assert_allclose(found / huge, [-0.5, 0, 0.5], rtol=0.01)
        assert median(x) == 0
    for x, expected_median in (
        ([-inf, 4.0], -inf),
        ([4.0, inf], inf),
        ([-inf, inf], np.nan),
        ([-inf, -inf], -inf),
        ([-inf, 4.0, inf], 4.0),
    ):
        for method in ("linear", "midpoint"):
            np.testing.assert_equal(
                quantile(x, 0.5, method=method).numpy(), np.float32(expected_median)
            )
    assert quantile([-inf, inf], 0.0) == -inf
    assert quantile([-inf, inf], 1.0) == inf
