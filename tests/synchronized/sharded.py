"""A process with so many devices of JAX's: shares by `shard_map` and `pmap`, and one device.

Arguments: how many devices, and whether in x64 mode. Fails by an assertion.
"""

import functools
import os
import re
import sys

import numpy as np
import pytest
from shares import assert_close, assert_same, batch

from tailops import build_info

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

import jax.numpy as jnp  # noqa: E402
from jax.sharding import Mesh, PartitionSpec  # noqa: E402

from tailops._options import TailOptions  # noqa: E402
from tailops.jax import _range_mean, _tail_loss, _union  # noqa: E402

BY_ROWS = PartitionSpec("replicas")
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-12}


@functools.cache
def all_devices():
    return Mesh(np.array(jax.devices()), ("replicas",))


def dtypes():
    x64 = jax.config.read("jax_enable_x64")
    return [jnp.float32, jnp.float64] if x64 else [jnp.float32, jnp.float16, jnp.bfloat16]


def sharded(function, results, check_vma=True, mesh=None, rows=BY_ROWS):
    return jax.shard_map(
        function, mesh=mesh or all_devices(), in_specs=rows, out_specs=results, check_vma=check_vma
    )


def check_losses(options, residuals, mask, dtype, check_vma=True):
    y_true, y_pred, kept = batch(residuals, mask, np.float64)
    y_true, y_pred = (jnp.asarray(x, dtype) for x in (y_true, y_pred))
    masks = () if kept is None else (jnp.asarray(kept),)
    upstream = jnp.asarray(np.arange(y_pred.size).reshape(y_pred.shape) % 5 - 1.5, dtype)

    def of_share(y_true, y_pred, *masks):
        mask = masks[0] if masks else None
        return _union.tail_loss(y_true, y_pred, options, mask=mask, axis_name="replicas")

    def of_all(y_true, y_pred, *masks):
        mask = masks[0] if masks else None
        return _tail_loss.tail_loss(y_true, y_pred, options, reduction="none", mask=mask)

    def step(function):
        def losses_and_slopes(y_true, y_pred, *masks):
            losses, pull_back = jax.vjp(lambda t, p: function(t, p, *masks), y_true, y_pred)
            return losses, *pull_back(upstream)

        return jax.jit(losses_and_slopes)(y_true, y_pred, *masks)

    found = step(sharded(of_share, BY_ROWS, check_vma))
    losses, *slopes = step(of_all)
    assert_same(found[0], losses)
    for actual, expected in zip(found[1:], slopes, strict=True):
        assert_close(actual, expected, TOLERANCE[jnp.dtype(dtype).name])


def check_ranges(kind, bounds, axis, residuals, mask, dtype, check_vma=True):
    _, values, kept = batch(residuals, mask, np.float64)
    values, masks = jnp.asarray(values, dtype), () if kept is None else (jnp.asarray(kept),)
    tolerance = TOLERANCE[jnp.dtype(dtype).name]

    def of_share(function):
        return lambda v, *masks: function(
            v, bounds, kind, axis, masks[0] if masks else None, axis_name="replicas"
        )

    means = sharded(of_share(_union.range_mean), PartitionSpec(), check_vma)
    weights = sharded(of_share(_union.range_weights), BY_ROWS, check_vma)
    of_all = kept if kept is None else masks[0]
    expected = _range_mean.range_mean(values, bounds, kind, axis, of_all)
    expected_weights = _range_mean.range_weights(values, bounds, kind, axis, of_all)
    assert_close(jax.jit(means)(values, *masks), expected, tolerance)
    assert_same(jax.jit(weights)(values, *masks), expected_weights)
    slope = jax.jit(jax.grad(lambda v: means(v, *masks).sum().astype(jnp.float32)))(values)
    assert_close(slope, expected_weights, tolerance)


def check_many():
    options = {"percentile": 0.9, "smoothing_factor": 3.0}
    for dtype in dtypes():
        for axis in (None, 0):
            for method in ("floor", "linear"):
                chosen = TailOptions(axis=axis, method=method, **options)
                check_losses(chosen, "random", "none", dtype)
                check_losses(chosen, "ties_on_one", "a share", dtype)
        check_losses(TailOptions(**options), "nan_on_one", "random", dtype, check_vma=False)
        check_losses(TailOptions(error="value", **options), "infinities", "none", dtype)
        check_losses(TailOptions(gradient="fixed_weight", **options), "zeros", "all", dtype)
        check_ranges("between", (0.13, 0.91), None, "random", "none", dtype)
        check_ranges("between", (0.0, 1.0), 0, "few_valued", "random", dtype)
        check_ranges("largest", (5.5, 0.0), 0, "ties_on_all", "none", dtype)
        check_ranges("at_least", (0.3, 4.0), None, "few_valued", "a share", dtype)
        check_ranges("at_least", (3.0, 4.0), 0, "nan_on_one", "none", dtype, check_vma=False)


def check_what_is_compiled():
    """Four sums over replicas, of which none depends on the batch, and nothing is gathered."""

    def step(y_true, y_pred):
        def total(y_pred):
            losses = _union.tail_loss(y_true, y_pred, TailOptions(), axis_name="replicas")
            return jnp.sum(losses)

        return jax.grad(total)(y_pred)

    texts = []
    for rows in (len(jax.devices()), 1000 * len(jax.devices())):
        shape = jax.ShapeDtypeStruct((rows, 2), jnp.float32)
        compiled = jax.jit(sharded(step, BY_ROWS)).lower(shape, shape).compile()
        texts.append(
            re.findall(r"= (\S+) (all-\S+|collective-\S+|reduce-scatter\S*)\(", compiled.as_text())
        )
    assert texts[0] == texts[1]
    assert [name.split(".")[0] for _, name in texts[0]] == ["all-reduce"] * 4, texts[0]


def check_the_same_in_pmap():
    y_true, y_pred, _ = batch("random", "none", np.float32)
    options = TailOptions(percentile=0.9, smoothing_factor=3.0)
    in_shares = [x.reshape(len(jax.devices()), -1, 3) for x in (y_true, y_pred)]
    found = jax.pmap(lambda t, p: _union.tail_loss(t, p, options, axis_name="i"), axis_name="i")(
        *in_shares
    )
    expected = _tail_loss.tail_loss(y_true, y_pred, options, reduction="none")
    assert_same(found.reshape(y_pred.shape), expected)


def check_axes_of_two_names():
    y_true, y_pred, _ = batch("random", "none", np.float32)
    options = TailOptions(percentile=0.9, smoothing_factor=3.0)
    names = "hosts", "chips"
    mesh = Mesh(np.array(jax.devices()).reshape(2, -1), names)
    rows = PartitionSpec(names)
    found = jax.jit(
        sharded(
            lambda t, p: _union.tail_loss(t, p, options, axis_name=names),
            rows,
            mesh=mesh,
            rows=rows,
        )
    )(y_true, y_pred)
    assert_same(found, _tail_loss.tail_loss(y_true, y_pred, options, reduction="none"))


def check_upstream_of_every_replica():
    """Where JAX does not track what varies, each replica's own gradient is that of all results."""
    values = batch("random", "none", np.float32)[1]
    weights = _range_mean.range_weights(values, (0.8, 1.0), "between", None)

    def slope(share):
        return jax.grad(
            lambda v: _union.range_mean(v, (0.8, 1.0), "between", None, axis_name="replicas")
        )(share)

    for check_vma, times in ((True, 1), (False, len(jax.devices()))):
        found = jax.jit(sharded(slope, BY_ROWS, check_vma))(values)
        assert_close(found, times * weights, 1e-6)


def check_an_impossible_range():
    values = jnp.arange(8.0 * len(jax.devices()))
    means = sharded(
        lambda v: _union.range_mean(v, (1e6, 0.0), "largest", None, axis_name="replicas"),
        PartitionSpec(),
    )
    with pytest.raises(jax.errors.JaxRuntimeError, match="k=1000000: must be at most the number"):
        jax.block_until_ready(jax.jit(means)(values))


def main(devices, mode):
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    jax.config.update("jax_enable_x64", mode == "x64")
    assert len(jax.devices()) == int(devices)
    check_many()
    check_what_is_compiled()
    check_the_same_in_pmap()
    check_axes_of_two_names()
    check_upstream_of_every_replica()
    check_an_impossible_range()


if __name__ == "__main__":
    main(*sys.argv[1:])
