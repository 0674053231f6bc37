"""JAX on a GPU: the custom calls give what the kernels on the CPU give."""

import os
from dataclasses import replace

import numpy as np
import pytest
from problems import RULES, assert_close, with_missing
from problems import with_residuals as problem_data

from tailops import build_info, kernels
from tailops._options import TailOptions

jax = pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("tailops was built without JAX", allow_module_level=True)


@pytest.fixture(autouse=True)
def gpu():
    try:
        jax.devices("gpu")
    except RuntimeError:
        pytest.skip("JAX sees no GPU")


@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean"])
@pytest.mark.parametrize("shape", [(700, 3), (200_000,)])
def test_the_same_as_on_the_cpu(shape, reduction):
    from tailops.jax import tail_loss

    y_true, y_pred = problem_data("random", shape, np.float32)
    options = TailOptions(0.9, 5.0, 3.0, 0.2)
    on_gpu = [jax.device_put(array, jax.devices("gpu")[0]) for array in (y_true, y_pred)]

    def loss(y_true, y_pred):
        return tail_loss(y_true, y_pred, options, reduction=reduction)

    value = jax.jit(loss)(*on_gpu)
    slope = jax.jit(jax.grad(lambda t, p: loss(t, p).sum(), argnums=1))(*on_gpu)
    expected, state = kernels.forward(y_true, y_pred, options, reduction=reduction)
    expected_slope = kernels.backward(
        np.ones_like(expected), y_true, y_pred, state, options, reduction=reduction
    )
    assert_close(value, expected, np.float32, "loss")
    assert_close(slope, expected_slope, np.float32, "gradient")


@pytest.mark.parametrize("reduction", ["none", "per_sample", "mean", "sum"])
@pytest.mark.parametrize("rule", RULES)
def test_ignored_elements(rule, reduction):
    from tailops.jax import tail_loss

    kept = np.random.default_rng(0).random((700, 3)) < 0.6
    problem = with_missing((700, 3), rule, TailOptions(0.9, 5.0), reduction, kept)
    y_true, y_pred, options, mask = problem.y_true, problem.y_pred, problem.options, problem.mask
    how = {"reduction": reduction, "mask": mask}
    with jax.default_device(jax.devices("gpu")[0]):
        value = jax.jit(lambda t, p: tail_loss(t, p, options, **how))(y_true, y_pred)
        slope = jax.jit(jax.grad(lambda p: tail_loss(y_true, p, options, **how).sum()))(y_pred)
    expected, state = kernels.forward(y_true, y_pred, options, **how)
    upstream = np.ones_like(expected)
    assert_close(value, expected, np.float32, "loss")
    expected_slope = kernels.backward(upstream, y_true, y_pred, state, options, **how)
    assert_close(slope, expected_slope, np.float32, "gradient")


def test_vmap_is_one_call():
    from tailops.jax import tail_loss

    y_true, y_pred = problem_data("random", (30, 900), np.float32)
    options = TailOptions(0.9, 5.0)
    with jax.default_device(jax.devices("gpu")[0]):
        found = jax.vmap(lambda t, p: tail_loss(t, p, options, reduction="mean"))(y_true, y_pred)
    for i in range(30):
        expected = kernels.forward(y_true[i], y_pred[i], options, reduction="mean").loss
        np.testing.assert_allclose(found[i], expected, rtol=1e-5)


# Of the third, which is no range, everything is NaN that is not ignored.
BOUNDS = np.float32([[0.1, 0.9], [0.5, 1.0], [0.9, 0.1], [0.0, 0.25], [0.99, 1.0]])


def one_by_one(function, values, masks):
    """Compiled once: bounds are data."""
    compiled = jax.jit(function)
    return [compiled(v, b, m) for v, b, m in zip(values, BOUNDS, masks, strict=True)]


def all_with_the_first(function, values, masks):
    mapped = (0, None, None if masks[0] is None else 0)
    mask = None if masks[0] is None else np.stack(masks)
    return jax.jit(jax.vmap(function, in_axes=mapped))(values, BOUNDS[0], mask)


def each_with_its_own(function, values, masks):
    if "VIRTUAL_GPU_CAPABILITY" in os.environ:
        pytest.skip("the virtual GPU has no loops of XLA's")
    mapped = (0, 0, None if masks[0] is None else 0)
    mask = None if masks[0] is None else np.stack(masks)
    return jax.jit(jax.vmap(function, in_axes=mapped))(values, BOUNDS, mask)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("how", [one_by_one, all_with_the_first, each_with_its_own])
def test_range_means(how, axis, masked):
    from tailops.jax._range_mean import range_mean

    rng = np.random.default_rng(0)
    values = rng.standard_normal((5, 700, 3)).astype(np.float32)
    masks = [rng.random((700, 3)) < 0.7 if masked else None for _ in BOUNDS]

    def mean(v, b, m):
        return range_mean(v, b, "between", axis, m)

    def slope(v, b, m):
        return jax.grad(lambda v: mean(v, b, m).sum())(v)

    with jax.default_device(jax.devices("gpu")[0]):
        means, slopes = (how(f, values, masks) for f in (mean, slope))
    bounds = np.broadcast_to(BOUNDS[0], BOUNDS.shape) if how is all_with_the_first else BOUNDS
    for i, (low, high) in enumerate(bounds):
        if low > high:
            valid = np.ones((700, 3), bool) if masks[i] is None else masks[i]
            np.testing.assert_array_equal(np.isnan(means[i]), valid.any(axis))
            np.testing.assert_array_equal(np.isnan(slopes[i]), valid)
            continue
        expected, state = kernels.range_mean_forward(
            values[i], (low, high), "between", axis, masks[i]
        )
        assert_close(means[i], expected, np.float32, "mean")
        upstream = np.ones_like(expected)
        gradient = kernels.range_mean_gradient(upstream, values[i], state, axis, masks[i])
        assert_close(slopes[i], gradient, np.float32, "gradient")


def on_a_mesh(function, *arrays):
    """Of one device, as one of several would see its share: by the steps of a union."""
    mesh = jax.sharding.Mesh(np.array(jax.devices("gpu")[:1]), ("replica",))
    spec = jax.sharding.PartitionSpec("replica")
    return jax.jit(jax.shard_map(function, mesh=mesh, in_specs=spec, out_specs=spec))(*arrays)


@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize("method", ["floor", "linear"])
@pytest.mark.parametrize("traced", [False, True])
def test_steps_of_a_union_of_losses(axis, method, traced):
    from tailops.jax._union import tail_loss

    y_true, y_pred = problem_data("few_values", (700, 3), np.float32)
    y_pred[3, 1] = np.inf
    kept = np.random.default_rng(0).random((700, 3)) < 0.8
    options = TailOptions(0.875, 5.0, 3.0, 0.2, axis=axis, method=method)

    def loss_and_slope(t, p, m, *numbers):
        chosen = replace(options, percentile=numbers[0][0]) if traced else options

        def loss(p):
            return tail_loss(t, p, chosen, mask=m, axis_name="replica")

        return loss(p), jax.grad(lambda p: loss(p).sum())(p)

    numbers = [np.float32([options.percentile])] if traced else []
    loss, slope = on_a_mesh(loss_and_slope, y_true, y_pred, kept, *numbers)
    how = {"reduction": "none", "mask": kept}
    expected, state = kernels.forward(y_true, y_pred, options, **how)
    gradient = kernels.backward(np.ones_like(expected), y_true, y_pred, state, options, **how)
    assert_close(loss, expected, np.float32, "loss")
    assert_close(slope, gradient, np.float32, "gradient")


@pytest.mark.parametrize("axis", [None, 0])
@pytest.mark.parametrize("kind", ["between", "largest", "at_least"])
def test_steps_of_a_union_of_ranges(axis, kind):
    from tailops.jax._union import range_mean

    values = np.random.default_rng(0).standard_normal((700, 3)).astype(np.float32)
    bounds = {"between": (0.3, 0.95), "largest": (17.5, 0.0), "at_least": (0.3, 900.0)}[kind]

    def mean_and_slope(v):
        def mean(v):
            return range_mean(v, bounds, kind, axis, axis_name="replica")

        return mean(v).reshape(1, -1), jax.grad(lambda v: mean(v).sum())(v)

    mean, slope = on_a_mesh(mean_and_slope, values)
    expected, state = kernels.range_mean_forward(values, bounds, kind, axis)
    gradient = kernels.range_mean_gradient(np.ones_like(expected), values, state, axis)
    assert_close(mean, expected.reshape(1, -1), np.float32, "mean")
    assert_close(slope, gradient, np.float32, "gradient")


def test_a_union_that_has_no_such_range():
    """Only run time knows, and nothing waits for it: the group is NaN."""
    from tailops.jax._union import range_mean

    values = np.ones((5, 1), np.float32)
    mean = on_a_mesh(
        lambda v: range_mean(v, (6.0, 0.0), "largest", None, axis_name="replica").reshape(1), values
    )
    assert np.isnan(mean).all()


def test_numbers_that_are_traced():
    """They are in the device's memory."""
    from tailops.jax import tail_weighted

    values = np.random.default_rng(0).standard_normal((700, 3)).astype(np.float32)

    def loss_and_slope(v, *numbers):
        return jax.value_and_grad(lambda v: tail_weighted(v, *numbers, axis=0, reduction="sum"))(v)

    compiled = jax.jit(loss_and_slope)
    for numbers in ((0.5, 5.0, 3.0), (0.25, 1.0, 0.0), (1.0, 0.0, 9.0)):
        found = compiled(jax.device_put(values, jax.devices("gpu")[0]), *numbers)
        options = TailOptions(*numbers, error="value", axis=0)
        column = values[..., None]
        expected, state = kernels.forward(column, column, options, reduction="sum")
        slope = kernels.backward(np.float32(1), column, column, state, options, reduction="sum")
        assert_close(found[0], expected, np.float32, f"loss {numbers}")
        assert_close(found[1], slope[..., 0], np.float32, f"gradient {numbers}")
    assert compiled._cache_size() == 1
