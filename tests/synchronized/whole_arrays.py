"""A process with so many devices of JAX's: arrays sharded over them under `jit`, and one device.

Arguments: how many devices, and whether in x64 mode. Fails by an assertion.
"""

import functools
import itertools
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
from jax.sharding import Mesh, NamedSharding, PartitionSpec  # noqa: E402

from tailops import jax as tj  # noqa: E402

TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-12}
COLLECTIVE = re.compile(r"= (\(.*?\)|\S+) (all-\w+|collective-\w+|reduce-scatter)(?:-start)?\(")


@functools.cache
def mesh_of(*names):
    """All devices, in as many rows as there are of the first of two names, 2."""
    devices = np.array(jax.devices())
    return Mesh(devices if len(names) == 1 else devices.reshape(2, -1), names)


def placed(array, spec, *names):
    return jax.device_put(array, NamedSharding(mesh_of(*names), PartitionSpec(*spec)))


def on_one(array):
    return jax.device_put(array, jax.devices()[0])


# How the rows and columns of a batch are split.
SPLITS = {
    "rows": (("batch",), ("batch",)),
    "rows over two": ((("hosts", "chips"),), ("hosts", "chips")),
    "rows over one of two": (("chips",), ("hosts", "chips")),
    "in another order": ((("chips", "hosts"),), ("hosts", "chips")),
    "whole": ((), ("batch",)),
}


def dtypes():
    x64 = jax.config.read("jax_enable_x64")
    return [jnp.float32, jnp.float64] if x64 else [jnp.float32, jnp.float16, jnp.bfloat16]


def collectives(compiled):
    return COLLECTIVE.findall(compiled.as_text())


def assert_the_same(function, arrays, split, tolerance, same=True, eager=False):
    """Results and gradients by the first array, of shards and of one device."""
    spec, names = SPLITS[split]
    sharded = [placed(x, spec, *names) for x in arrays]
    whole = [on_one(x) for x in arrays]

    def of_weighted(synchronized):
        def total(first, *others):
            results = function(first, *others, synchronized=synchronized)
            wide = results.astype(jnp.promote_types(results.dtype, jnp.float32))
            return jnp.sum(wide * (jnp.arange(wide.size).reshape(wide.shape) % 5 - 1.5))

        return jax.grad(total)

    expected = jax.jit(functools.partial(function, synchronized=False))(*whole)
    expected_slope = jax.jit(of_weighted(False))(*whole)
    found = functools.partial(function, synchronized=True)
    for on_devices in (jax.jit, lambda f: f) if eager else (jax.jit,):
        if same:
            assert_same(on_devices(found)(*sharded), expected)
        else:
            assert_close(on_devices(found)(*sharded), expected, tolerance)
        assert_close(on_devices(of_weighted(True))(*sharded), expected_slope, tolerance)


def loss_of(**options):
    return lambda p, t, *mask, synchronized: tj.tail_loss(
        t,
        p,
        tj.TailOptions(percentile=0.9, smoothing_factor=3.0, synchronized=synchronized, **options),
        reduction="none",
        mask=mask[0] if mask else None,
    )


def check_losses():
    for dtype in dtypes():
        tolerance = TOLERANCE[jnp.dtype(dtype).name]

        def arrays(residuals, mask, dtype=dtype):
            t, p, kept = batch(residuals, mask, np.float64)
            return [jnp.asarray(p, dtype), jnp.asarray(t, dtype), *([] if kept is None else [kept])]

        for axis in (None, 0, 1, -1):
            for residuals, mask in (("random", "none"), ("ties_on_one", "a share")):
                assert_the_same(loss_of(axis=axis), arrays(residuals, mask), "rows", tolerance)
        assert_the_same(loss_of(method="linear"), arrays("few_valued", "random"), "rows", tolerance)
        assert_the_same(loss_of(), arrays("nan_on_one", "random"), "rows", tolerance)
        assert_the_same(loss_of(error="value"), arrays("infinities", "none"), "rows", tolerance)
        fixed = loss_of(gradient="fixed_weight", ignore_value=0.0)
        assert_the_same(fixed, arrays("zeros", "all"), "rows", tolerance)
    for split in SPLITS:
        given = arrays("random", "random")
        assert_the_same(loss_of(axis=0), given, split, tolerance, eager=split == "rows")


MEANS = {
    "cvar": lambda v, *m, **how: tj.cvar(v, 0.8, mask=m[0] if m else None, **how),
    "columns": lambda v, *m, **how: tj.range_mean(v, 0.2, 0.7, 0, mask=m[0] if m else None, **how),
    "rows": lambda v, *m, **how: tj.cvar(v, 0.5, -1, mask=m[0] if m else None, **how),
    "both": lambda v, *m, **how: tj.cvar(v, 0.8, (0, 1), mask=m[0] if m else None, **how),
    "each": lambda v, *m, **how: tj.average_top_k(v, 1, (), mask=m[0] if m else None, **how),
    "average_top_k": lambda v, *m, **how: tj.average_top_k(v, 7, mask=m[0] if m else None, **how),
    "trimmed_mean": lambda v, *m, **how: tj.trimmed_mean(
        v, 0.3, 0, mask=m[0] if m else None, reduction="mean", **how
    ),
    "ohem": lambda v, *m, **how: tj.ohem(v, 0.5, 9, mask=m[0] if m else None, **how),
    "tail_weighted": lambda v, *m, **how: tj.tail_weighted(
        v, 0.9, 3.0, axis=0, mask=m[0] if m else None, **how
    ),
    "mean of weighted": lambda v, *m, **how: tj.tail_weighted(
        v, 0.9, 3.0, mask=m[0] if m else None, reduction="mean", **how
    ),
}


def check_functions():
    for dtype in (dtypes()[0], dtypes()[-1]):
        for function in MEANS.values():
            for residuals, mask in (("random", "none"), ("ties_on_all", "random")):
                _, values, kept = batch(residuals, mask, np.float64)
                arrays = [jnp.asarray(values, dtype), *([] if kept is None else [kept])]
                tolerance = TOLERANCE[jnp.dtype(dtype).name]
                assert_the_same(function, arrays, "rows", tolerance, same=False)
    values = batch("random", "none", np.float32)[1]
    found = tj.tail_mask(placed(values, ("batch",), "batch"), 0.8, synchronized=True)
    assert_same(found, tj.tail_mask(values, 0.8))


def check_two_dimensions():
    """Of which one or both are of a group."""
    _, values, kept = batch("random", "random", np.float32)
    values, kept = (x.reshape(-1, 8, 6) for x in (values, kept))
    spec, names = ("hosts", "chips"), ("hosts", "chips")
    arrays = [placed(x, spec, *names) for x in (values, kept)]
    for axis in (None, 0, 1, 2, (0, 1), (0, 2)):

        def mean(v, m, axis=axis, **how):
            return tj.cvar(v, 0.6, axis, mask=m, **how)

        def losses(v, m, axis=axis, **how):
            return tj.tail_weighted(v, 0.8, 3.0, axis=axis, mask=m, **how)

        for function in (mean, losses):
            found = jax.jit(functools.partial(function, synchronized=True))
            assert_close(found(*arrays), function(values, kept), 1e-6)
            slope = jax.grad(lambda v, m, f=found: jnp.sum(f(v, m) ** 2))
            expected = jax.grad(lambda v, m, f=function: jnp.sum(f(v, m) ** 2))(values, kept)
            assert_close(slope(*arrays), expected, 1e-6)
            if not isinstance(axis, tuple):  # made one, they are not as they were split
                sent = collectives(found.lower(*arrays).compile())
                assert {name for _, name in sent} <= {"all-reduce"}, (axis, sent)
                assert bool(sent) is (axis != 2), (axis, sent)


def check_what_is_compiled():
    """What is sent does not depend on the batch, and nothing where groups are within a sample."""
    spec = NamedSharding(mesh_of("batch"), PartitionSpec("batch"))

    def sent(function, rows):
        shape = jax.ShapeDtypeStruct((rows * len(jax.devices()), 2), jnp.float32, sharding=spec)
        return collectives(jax.jit(function, out_shardings=spec).lower(shape).compile())

    def slope(function):
        return jax.grad(lambda v: jnp.sum(function(v)))

    def losses(axis):
        return lambda v: loss_of(axis=axis)(v, 0 * v, synchronized=True)

    for function, count in (
        (slope(losses(None)), 4),
        (slope(losses(0)), 4),
        (slope(losses(1)), 0),
        (slope(lambda v: tj.cvar(v, 0.9, synchronized=True)), 4),
        (slope(lambda v: tj.cvar(v, 0.5, 1, synchronized=True)), 0),
        (losses(None), 3),
        (losses(-1), 0),
    ):
        small, large = sent(function, 2), sent(function, 1000)
        assert small == large
        assert [name for _, name in small] == ["all-reduce"] * count, small
    # Without the setting, all of it is everywhere.
    found = sent(lambda v: loss_of()(v, 0 * v, synchronized=False), 2)
    assert "all-gather" in [name for _, name in found]


def check_what_cannot_be_split():
    """It is whole on every device, and right."""
    values = batch("random", "none", np.float32)[1]
    sharded = placed(values, ("batch",), "batch")
    options = {"percentile": 0.9, "smoothing_factor": 3.0}
    for change in (
        lambda v: v[:-1],  # not the same number of rows on each
        lambda v: v.reshape(2, -1),  # by a part of the mesh's axis
        lambda v: v.reshape(-1, 32),
        lambda v: v.reshape(1, 8, 8, 3),
        lambda v: v.T,
    ):
        for axis in (None, 0, 1):
            how = options | {"axis": axis}

            def function(v, synchronized, change=change, how=how):
                chosen = tj.TailOptions(**how, synchronized=synchronized)
                return tj.tail_loss(0 * change(v), change(v), chosen, reduction="none")

            found = jax.jit(functools.partial(function, synchronized=True))
            assert_same(found(sharded), function(values, synchronized=False))
            mean = jax.jit(lambda v, c=change, a=axis: tj.cvar(c(v), 0.7, a, synchronized=True))
            assert_close(mean(sharded), tj.cvar(change(values), 0.7, axis), 1e-6)


def check_numbers_that_are_traced():
    """One program for all of them, and nothing is gathered."""
    values = batch("random", "none", np.float32)[1]
    for split, axis in itertools.product(SPLITS, (None, 0, 1)):
        spec, names = SPLITS[split]
        sharded = placed(values, spec, *names)

        def step(v, *numbers, axis=axis, **how):
            def total(v):
                losses = tj.tail_weighted(v, *numbers, axis=axis, **how)
                return jnp.sum(losses), losses

            (_, losses), slope = jax.value_and_grad(total, has_aux=True)(v)
            return losses, slope

        found = jax.jit(functools.partial(step, synchronized=True))
        for numbers in ((0.875, 3.0, 5.0), (0.5, 1.0, 20.0)):
            losses, slope = found(sharded, *numbers)
            expected, expected_slope = step(values, *numbers)
            assert_same(losses, expected)
            assert_close(slope, expected_slope, 1e-6)
        assert found._cache_size() == 1
        sent = {name for _, name in collectives(found.lower(sharded, *numbers).compile())}
        assert sent <= {"all-reduce"}, sent


def check_devices_without_unions(monkeypatch):
    """As TPUs are: groups that are split are whole everywhere; others stay where they are."""
    from tailops.jax import _partitioned

    monkeypatch.setattr(_partitioned, "have_unions", lambda _: False)
    values = batch("random", "none", np.float32)[1] + 1  # of which nothing is compiled yet
    sharded = placed(values, ("batch",), "batch")
    for axis in (None, 0, 1):

        def step(v, axis=axis, **how):
            losses = tj.tail_weighted(v, 0.85, 3.0, axis=axis, **how)
            return losses, tj.cvar(v, 0.65, axis, **how)

        def slope(v, step=step, **how):
            return jax.grad(lambda v: sum(jnp.sum(x**2) for x in step(v, **how)))(v)

        for function in (step, slope):
            found = jax.jit(functools.partial(function, synchronized=True))
            sent = {name for _, name in collectives(found.lower(sharded).compile())}
            assert sent == ({"all-gather"} if axis != 1 else set()), (axis, sent)
            for one, expected in zip(found(sharded), function(values), strict=True):
                assert_close(one, expected, 1e-6)


def check_transformations():
    values = batch("random", "none", np.float32)[1]
    sharded = placed(values, ("batch",), "batch")

    def losses(v, **how):
        return tj.tail_weighted(v, 0.9, 3.0, **how)

    slices = jax.jit(jax.vmap(functools.partial(losses, synchronized=True), 1))(sharded)
    assert_same(slices, jax.vmap(losses, 1)(values))
    slices = jax.vmap(lambda v: tj.cvar(v, 0.7, synchronized=True))(sharded)
    assert_same(slices, tj.cvar(values, 0.7, 1))
    found = jax.jit(functools.partial(losses, synchronized=True), donate_argnums=0)
    assert_same(found(placed(values, ("batch",), "batch")), losses(values))
    with pytest.raises(NotImplementedError, match="no second derivative"):
        jax.hessian(lambda v: losses(v, synchronized=True).sum())(sharded)
    mesh = jax.make_mesh((len(jax.devices()),), ("batch",))  # of explicit axes in new versions
    explicit = jax.device_put(values, NamedSharding(mesh, PartitionSpec("batch")))
    assert_same(jax.jit(functools.partial(losses, synchronized=True))(explicit), losses(values))


def check_errors():
    values = placed(batch("random", "none", np.float32)[1], ("batch",), "batch")
    rows = PartitionSpec("batch")
    for function in (
        lambda v: tj.tail_weighted(v, synchronized=True),
        lambda v: tj.percentile_loss(v, v, synchronized=True),
    ):
        share = jax.shard_map(function, mesh=mesh_of("batch"), in_specs=rows, out_specs=rows)
        with pytest.raises(
            ValueError, match="inside shard_map or pmap: must have axis_name, of 'b"
        ):
            share(values)
    with pytest.raises(ValueError, match="inside shard_map or pmap"):
        jax.pmap(lambda v: tj.cvar(v, synchronized=True), axis_name="i")(
            np.zeros((len(jax.devices()), 3), "float32")
        )
    with pytest.raises(TypeError, match="synchronized=1"):
        tj.cvar(values, synchronized=1)
    with pytest.raises(jax.errors.JaxRuntimeError, match="k=1000: must be at most the number"):
        jax.block_until_ready(tj.average_top_k(values, jnp.float32(1000), synchronized=True))
    with pytest.raises(ValueError, match="must be at least one"):
        tj.cvar(values[:0], synchronized=True)


def main(devices, mode):
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    jax.config.update("jax_enable_x64", mode == "x64")
    assert len(jax.devices()) == int(devices)
    check_what_is_compiled()
    check_losses()
    check_functions()
    check_two_dimensions()
    check_what_cannot_be_split()
    check_numbers_that_are_traced()
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_devices_without_unions(monkeypatch)
    check_transformations()
    check_errors()


if __name__ == "__main__":
    main(*sys.argv[1:])
