"""JAX's public functions where replicas are an axis with a name, against the whole batch."""

import numpy as np
import pytest
from shares import assert_close

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

from tailops import jax as tj  # noqa: E402

V = np.sort(np.random.default_rng(0).standard_normal((12, 5)).astype("float32"), axis=0)
MASK = np.random.default_rng(1).random(V.shape) < 0.8
REPLICAS = 3


def of_shares(function, *arrays):
    """Of every replica; and the gradient of the sum of what they return."""
    shares = [x.reshape(REPLICAS, -1, *x.shape[1:]) for x in arrays]
    found = jax.vmap(function, axis_name="replica")(*shares)

    def slope(*share):
        return jax.grad(lambda v: function(v, *share[1:]).sum())(share[0])

    slopes = jax.vmap(slope, axis_name="replica")(*shares)
    return np.asarray(found), np.asarray(slopes).reshape(V.shape)


MEANS = {
    "cvar": lambda v, m, **how: tj.cvar(v, 0.8, mask=m, **how),
    "range_mean": lambda v, m, **how: tj.range_mean(v, 0.2, 0.7, mask=m, axis=0, **how),
    "average_top_k": lambda v, m, **how: tj.average_top_k(v, 7, mask=m, **how),
    "trimmed_mean": lambda v, m, **how: tj.trimmed_mean(v, 0.3, mask=m, axis=0, **how),
    "ohem": lambda v, m, **how: tj.ohem(v, 0.5, 9, mask=m, **how),
    "columns": lambda v, m, **how: tj.cvar(v, 0.8, 0, mask=m, reduction="mean", **how),
}


@pytest.mark.parametrize("name", MEANS)
def test_means_are_the_whole_batchs(name):
    function = MEANS[name]
    found, slope = of_shares(lambda v, m: function(v, m, axis_name="replica"), V, MASK)
    for of_replica in found:
        np.testing.assert_allclose(of_replica, function(V, MASK), rtol=1e-6)
    whole = jax.grad(lambda v: function(v, MASK).sum())(V)
    np.testing.assert_allclose(slope, REPLICAS * whole, rtol=1e-6)


ELEMENTS = {
    "tail_weighted": lambda v, **how: tj.tail_weighted(v, 0.9, 3.0, **how),
    "percentile_loss": lambda v, **how: tj.percentile_loss(0 * v, v, 0.9, 3.0, **how),
    "max_fraction_loss": lambda v, **how: tj.max_fraction_loss(0 * v, v, 0.5, 3.0, **how),
    "hybrid_percentile_loss": lambda v, **how: tj.hybrid_percentile_loss(0 * v, v, 0.9, **how),
    "a column each": lambda v, **how: tj.percentile_loss(0 * v, v, 0.6, 3.0, axis=0, **how),
    "a row each": lambda v, **how: tj.percentile_loss(0 * v, v, 0.6, 3.0, axis=1, **how),
}


@pytest.mark.parametrize("name", ELEMENTS)
def test_losses_are_the_whole_batchs(name):
    function = ELEMENTS[name]
    found, slope = of_shares(lambda v: function(v, axis_name="replica"), V)
    whole = function(V)
    np.testing.assert_allclose(found.reshape(whole.shape), whole, rtol=1e-6)
    np.testing.assert_allclose(
        slope, jax.grad(lambda v: function(v).sum())(V), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_reductions_are_of_the_share(reduction):
    how = {"reduction": reduction, "axis_name": "replica"}
    found, _ = of_shares(lambda v: tj.tail_weighted(v, 0.9, 3.0, **how), V)
    losses = np.asarray(tj.tail_weighted(V, 0.9, 3.0)).reshape(REPLICAS, -1)
    np.testing.assert_allclose(found, getattr(losses, reduction)(1), rtol=1e-6)


def test_a_mask_of_the_tail():
    found, _ = of_shares(lambda v: tj.tail_mask(v, 0.8, axis_name="replica").astype("float32"), V)
    np.testing.assert_array_equal(found.reshape(V.shape), tj.tail_mask(V, 0.8))


def test_errors():
    with pytest.raises(NameError, match="replica"):
        tj.cvar(V, axis_name="replica")


@pytest.mark.parametrize("axis", [None, 0])
def test_numbers_that_are_traced(axis):
    def function(v, *numbers, **how):
        return tj.tail_weighted(v, *numbers, axis=axis, **how)

    @jax.jit
    def found(v, *numbers):
        def of_share(v):
            return function(v, *numbers, axis_name="replica")

        return of_shares_of(of_share, v)

    def of_shares_of(of_share, v):
        shares = v.reshape(REPLICAS, -1, v.shape[1])

        def slope(share):
            return jax.grad(lambda share: of_share(share).sum())(share)

        return [
            jax.vmap(f, axis_name="replica")(shares).reshape(v.shape) for f in (of_share, slope)
        ]

    for numbers in ((0.875, 3.0, 5.0), (0.5, 1.0, 20.0)):  # which float32 has
        losses, slopes = found(V, *numbers)
        np.testing.assert_allclose(losses, function(V, *numbers), rtol=1e-6)
        expected = jax.grad(lambda v, n=numbers: function(v, *n).sum())(V)
        assert_close(slopes, expected, 1e-6)
    with pytest.raises(jax.errors.JaxRuntimeError, match=r"percentile=1\.5: must be"):
        jax.block_until_ready(found(V, 1.5, 3.0, 5.0))
