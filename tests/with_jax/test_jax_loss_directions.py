"""`tailops.jax`'s losses in forward mode: the transpose of the gradient, whatever the options."""

import itertools
import re

import numpy as np
import pytest
from kinds import METHODS
from quick import quick

from tailops import _kernels, build_info
from tailops._options import TailOptions

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from modes import x64  # noqa: E402, F401

import tailops.jax as tj  # noqa: E402

RNG = np.random.default_rng(0)
Y, P, DY, DP = RNG.standard_normal((4, 19, 4))
MASK = RNG.random((19, 4)) < 0.7
OPTIONS = [
    TailOptions(0.8, 4.0, 5.0, beta, error, method, gradient, epsilon=0.1, smoothing_unit=unit)
    for i, (error, method, gradient) in enumerate(
        itertools.product(_kernels.ERRORS, METHODS, _kernels.GRADIENTS)
    )
    for beta in ((0.0,) if error == "value" else (0.0, 0.3)[i % 2 :][:1])
    for unit in _kernels.SMOOTHING_UNITS[i // 2 % 2 :][:1]
]


def calls_in(function, *arguments):
    text = jax.jit(function).lower(*arguments).compile().as_text()
    names = ("tailops_tail_loss", "tailops_tail_loss_grad", "tailops_select")
    calls = [text.count(f'custom_call_target="{name}"') for name in names]
    return calls, bool(re.search(r"\bwhile\(", text))


def assert_transposed(function, primals, tangents, tolerance=1e-12):
    value, moved = jax.jit(lambda p, t: jax.jvp(function, p, t))(primals, tangents)
    rows = jax.jit(jax.jacrev(function, tuple(range(len(primals)))))(*primals)
    assert (moved.dtype, moved.shape) == (value.dtype, value.shape)
    expected = sum(
        np.tensordot(row.astype(float), t.astype(float), np.ndim(t))
        for row, t in zip(rows, tangents, strict=True)
    )
    scale = np.abs(expected).max()
    np.testing.assert_allclose(moved.astype(float), expected, atol=tolerance * scale)


@pytest.mark.parametrize("axis", quick(0, of=[None, 0, -1]))
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_directions_are_the_transpose_of_the_gradient(reduction, axis):
    options = OPTIONS[_kernels.REDUCTIONS.index(reduction) :: 7]
    for i, chosen in enumerate(options):
        mask = MASK if i % 2 else None
        of_axis = TailOptions(**chosen.get_config() | {"axis": axis})

        def loss(y_true, y_pred, options=of_axis, mask=mask):
            return tj.tail_loss(y_true, y_pred, options, reduction=reduction, mask=mask)

        assert_transposed(loss, (Y, P), (DY, DP))


@pytest.mark.parametrize("options", [o for o in OPTIONS if o.gradient == "exact"][::4], ids=str)
def test_finite_differences(options):
    def losses(y_pred):
        return tj.tail_loss(Y, y_pred, options)

    if options.smoothing_unit == "threshold":
        pytest.skip("t is a constant in the unit, and none of the difference")
    _, moved = jax.jvp(losses, (P,), (DP,))
    step = 1e-6
    difference = (losses(P + step * DP) - losses(P - step * DP)) / (2 * step)
    np.testing.assert_allclose(moved, difference, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_other_dtypes(dtype):
    primals, tangents = (Y.astype(dtype), P.astype(dtype)), (DY.astype(dtype), DP.astype(dtype))
    for reduction in ("none", "mean"):
        assert_transposed(
            lambda t, p, r=reduction: tj.tail_loss(t, p, TailOptions(0.8, 4.0), reduction=r),
            primals,
            tangents,
            16 * float(jnp.finfo(dtype).eps),
        )
    ones = np.ones(2**18, dtype)
    values = RNG.standard_normal(2**18).astype(dtype)
    moved = jax.jvp(
        lambda v: tj.tail_loss(v, v, TailOptions(error="value", error_scale=0.0), reduction="mean"),
        (values,),
        (ones,),
    )[1]
    np.testing.assert_allclose(moved.astype(float), 1.0, rtol=1e-2)


@pytest.mark.parametrize("x64_mode", [False, True])
@pytest.mark.parametrize("method", ["linear", "max_fraction"])
def test_numbers_that_are_traced(method, x64_mode):
    jax.config.update("jax_enable_x64", x64_mode)
    y, p, d = (a.astype("float32") for a in (Y, P, DP))

    def moved(percentile, sharpness):
        options = TailOptions(percentile, sharpness, method=method)
        return jax.jvp(lambda p: tj.tail_loss(y, p, options, reduction="none"), (p,), (d,))[1]

    # Of float32, since outside of JAX's x64 mode that is what arrives.
    numbers = np.float32(0.8), np.float32(3.7)
    expected = moved(*map(float, numbers))
    np.testing.assert_allclose(jax.jit(moved)(*numbers), expected, rtol=1e-5, atol=1e-5)


def test_the_threshold_does_not_move_against_itself():
    """However steep the step: the weight of its element is half of the tail's."""
    values = np.float32([1.0, 2.0, 5.0])
    for sharpness in (1e2, 1e30):
        options = TailOptions(1.0, sharpness, 10.0, error="value")
        _, moved = jax.jvp(lambda v, o=options: tj.tail_loss(v, v, o), (values,), (values,))
        assert moved.tolist() == [1.0, 2.0, 30.0]
    infinite = np.float32([1.0, 2.0, np.inf])
    _, moved = jax.jvp(lambda v: tj.tail_loss(v, v, options), (infinite,), (values,))
    assert moved.tolist() == [1.0, 2.0, 30.0]
    with_nan = np.float32([1.0, np.nan, 3.0])
    _, moved = jax.jvp(lambda v: tj.tail_loss(v, v, options), (with_nan,), (values,))
    assert np.isnan(moved).all()
    _, moved = jax.jvp(lambda v: tj.tail_loss(v, v, options), (with_nan,), (0 * values,))
    assert np.isnan(moved).all()


def test_what_is_ignored_does_not_count():
    labels = np.where(MASK, Y, np.nan)
    labels[3] = np.nan
    direction = np.where(np.isnan(labels), np.inf, DP)

    def losses(p, r="per_sample"):
        return tj.tail_loss(labels, p, TailOptions(0.8, 4.0, ignore_nan=True), reduction=r)

    for reduction in ("none", "per_sample", "mean"):
        _, moved = jax.jvp(lambda p, r=reduction: losses(p, r), (P,), (direction,))
        rows = jax.jacrev(lambda p, r=reduction: losses(p, r))(P)
        expected = np.tensordot(rows, np.where(np.isinf(direction), 0, direction), 2)
        np.testing.assert_allclose(moved, expected, atol=1e-12)
    assert losses(P)[3] == moved[()] * 0


def test_what_a_direction_costs():
    """Of one loss a call; of each element's the two gradients, the errors, and their quantile."""

    def moved(p, reduction, gradient="exact"):
        options = TailOptions(0.8, 4.0, gradient=gradient)
        return jax.jvp(lambda p: tj.tail_loss(Y, p, options, reduction=reduction), (p,), (DP,))

    assert calls_in(lambda p: moved(p, "mean"), P) == ([1, 1, 0], False)
    assert calls_in(lambda p: moved(p, "none", "fixed_weight"), P) == ([1, 1, 0], False)
    assert calls_in(lambda p: moved(p, "none"), P) == ([2, 3, 1], False)
    slices = np.stack([P, P + 1])
    assert calls_in(jax.vmap(lambda p: moved(p, "mean")), slices) == ([1, 1, 0], False)
    assert calls_in(jax.vmap(lambda p: moved(p, "none")), slices) == ([2, 3, 1], False)
    slope = jax.grad(lambda p: tj.tail_loss(Y, p, reduction="mean"))
    assert calls_in(slope, P) == ([1, 1, 0], False)


def test_vmap_and_jacobians():
    slices, directions = np.stack([P, P + 1, Y]), np.stack([DP, DY, P])

    def moved(p, d):
        return jax.jvp(lambda p: tj.percentile_loss(Y, p, 0.8, 4.0), (p,), (d,))[1]

    found = jax.jit(jax.vmap(moved))(slices, directions)
    for i in range(3):
        np.testing.assert_allclose(found[i], moved(slices[i], directions[i]), rtol=1e-12)
    for function in (tj.percentile_loss, tj.max_fraction_loss, tj.hybrid_percentile_loss):

        def losses(p, function=function):
            return function(Y[:5, 0], p, 0.7, 4.0)

        p = P[:5, 0]
        np.testing.assert_allclose(jax.jacfwd(losses)(p), jax.jacrev(losses)(p), atol=1e-12)
    moved_values = jax.jvp(lambda v: tj.tail_weighted(v, 0.8, 4.0, axis=0), (P,), (DP,))[1]
    rows = jax.jacrev(lambda v: tj.tail_weighted(v, 0.8, 4.0, axis=0))(P)
    np.testing.assert_allclose(moved_values, np.tensordot(rows, DP, 2), atol=1e-12)
