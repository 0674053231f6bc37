"""What can be checked by hand: the contract's table, and what the functionals are of each other."""

import numpy as np
import pytest
import tensorflow as tf
from families import FAMILIES, residuals

from tailops.ops import (
    average_top_k,
    cvar,
    ohem,
    range_mean,
    tail_mask,
    tail_weighted,
    top_k_mean,
    trimmed_mean,
)

IMPLS = ["fused", "reference"]


def gradient(function, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        result = function(values)
    return tape.gradient(result, values).numpy()


@pytest.mark.parametrize("impl", IMPLS)
def test_the_table(impl):
    np.testing.assert_allclose(cvar([1.0, 2.0, 3.0, 4.0], 0.7, impl=impl), 4.6 / 1.2, rtol=1e-6)
    same = np.full(4, 2.0, "float32")
    assert average_top_k(same, 2, impl=impl) == 2
    slope = gradient(lambda v: average_top_k(v, 2, impl=impl), same)
    np.testing.assert_array_equal(slope, [0.25] * 4)
    assert trimmed_mean([1.0] * 8 + [100.0] * 2, 0.2, impl=impl) == 1
    assert range_mean([1.0, 2.0, 6.0], 0, 1, impl=impl) == 3


@pytest.mark.parametrize("impl", IMPLS)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_is_the_mean_and_one_the_largest(family, impl):
    values = residuals(family, 101, "float64")
    for result in (
        average_top_k(values, 101, impl=impl),
        cvar(values, 0.0, impl=impl),
        trimmed_mean(values, 0.0, impl=impl),
        ohem(values, -np.inf, impl=impl),
        ohem(values, min_kept=500, impl=impl),
    ):
        np.testing.assert_allclose(result, values.mean(), rtol=1e-13, atol=1e-13)
    for result in (average_top_k(values, 1, impl=impl), ohem(values, impl=impl)):
        np.testing.assert_allclose(result, values.max(), rtol=1e-15)
    slope = gradient(lambda v: average_top_k(v, 1, impl=impl), values)
    largest = values == values.max()
    np.testing.assert_allclose(slope, largest / largest.sum(), rtol=1e-14)


@pytest.mark.parametrize("impl", IMPLS)
def test_a_fraction_of_a_whole_number_of_values_is_that_number(impl):
    """0.29 · 100 is 28.999999999999996."""
    values = np.arange(100.0)
    for i in range(1, 100):
        p = i / 100
        np.testing.assert_allclose(range_mean(values, 0.0, p, impl=impl), (i - 1) / 2, rtol=1e-15)
        assert tail_mask(values, p).numpy().sum() == 100 - i


@pytest.mark.parametrize("impl", IMPLS)
def test_parts_make_the_whole(impl):
    values = residuals("random", 77, "float64")
    for p in (0.1, 1 / 3, 0.5, 0.9):
        below, above = trimmed_mean(values, 1 - p, impl=impl), cvar(values, p, impl=impl)
        np.testing.assert_allclose(p * below + (1 - p) * above, values.mean(), rtol=1e-12)
        by_number = average_top_k(values, (1 - p) * 77, impl=impl)
        np.testing.assert_allclose(by_number, above, rtol=1e-12)


@pytest.mark.parametrize("impl", IMPLS)
def test_hard_examples(impl):
    values = np.float32([0.1, 0.9, 0.8, 0.2, 0.8])

    def kept(*numbers):
        return gradient(lambda v: ohem(v, *numbers, impl=impl), values) > 0

    np.testing.assert_array_equal(kept(0.5), values >= 0.5)
    np.testing.assert_array_equal(kept(0.8), values >= 0.8)  # as a float32
    np.testing.assert_array_equal(kept(2.0), values == 0.9)  # at least one
    np.testing.assert_array_equal(kept(2.0, 2), values >= 0.8)  # with what ties
    np.testing.assert_array_equal(kept(0.5, 4), values >= 0.2)
    np.testing.assert_array_equal(kept(None, 2), values >= 0.8)
    np.testing.assert_array_equal(kept(0.5, 50), values >= 0)


def test_the_order_does_not_matter():
    values = residuals("few_values", 200, "float32")
    order = np.random.default_rng(0).permutation(200)
    for function in (lambda v: cvar(v, 0.83), lambda v: average_top_k(v, 31.5), lambda v: ohem(v)):
        np.testing.assert_array_equal(
            gradient(function, values)[order], gradient(function, values[order])
        )


def test_what_is_ignored_may_be_anything():
    values = residuals("random", 60, "float32")
    mask = np.arange(60) % 4 != 0
    for function in (
        lambda v, **of: cvar(v, 0.8, **of),
        lambda v, **of: trimmed_mean(v, 0.2, **of),
        lambda v, **of: ohem(v, 0.5, 7, **of),
        lambda v, **of: tail_weighted(v, 0.8, reduction="mean", **of),
    ):
        alone = function(values[mask])
        for anything in (0.0, 1e30, np.inf, -np.inf, np.nan):
            spoiled = np.where(mask, values, np.float32(anything))
            np.testing.assert_allclose(function(spoiled, mask=mask), alone, rtol=1e-6)
            slope = gradient(lambda v, of=function: of(v, mask=mask), spoiled)
            assert (slope[~mask] == 0).all()
            np.testing.assert_allclose(slope[mask], gradient(function, values[mask]), rtol=1e-5)


def test_top_k_mean_is_a_case():
    values = residuals("few_values", 90, "float32").reshape(9, 10)
    np.testing.assert_array_equal(top_k_mean(values, 3, axis=1), average_top_k(values, 3, axis=1))
    assert top_k_mean(values, 3, axis=1, keepdims=True).shape == (9, 1)
    assert top_k_mean(values, 3, axis=(0, 1), keepdims=True).shape == (1, 1)


@pytest.mark.parametrize("gradient_of", ["exact", "fixed_threshold", "fixed_weight"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1), (0, 2), ()], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_weighted_tail_of_positive_values_is_that_of_errors(gradient_of, axis, reduction):
    """Of residuals that are positive, with target 0; groups of several axes are brought to one."""
    from tailops.ops import TailOptions, tail_loss

    values = np.abs(residuals("random", 4 * 5 * 6, "float32")).reshape(4, 5, 6)
    mask = np.indices(values.shape).sum(0) % 3 != 0
    axes = (0, 1, 2) if axis is None else tuple(np.atleast_1d(axis)) if axis != () else ()
    axes = [int(a) % 3 for a in axes]
    others = [a for a in range(3) if a not in axes]
    order = [*others, *axes]

    def by_rows(v):
        rows = tf.reshape(tf.transpose(v, order), [int(np.prod([v.shape[a] for a in others])), -1])
        kept = mask.transpose(order).reshape(rows.shape)
        options = TailOptions(0.7, 3.0, 4.0, axis=1, method="linear", gradient=gradient_of)
        losses = tail_loss(0 * rows, rows, options, mask=kept, reduction="none")
        losses = tf.reshape(losses, [v.shape[a] for a in order])
        return tf.transpose(losses, np.argsort(order))

    def wanted(v):
        losses = by_rows(v)
        if reduction == "none":
            return losses
        return tf.reduce_sum(losses) / (mask.sum() if reduction == "mean" else 1)

    def ours(v):
        options = {"method": "linear", "gradient": gradient_of}
        return tail_weighted(v, 0.7, 3.0, 4.0, axis, mask=mask, reduction=reduction, **options)

    np.testing.assert_allclose(ours(values), wanted(values), rtol=2e-6)
    slope = gradient(wanted, values)
    near = 1e-6 * np.abs(slope).max()
    np.testing.assert_allclose(gradient(ours, values), slope, rtol=1e-4, atol=near)
