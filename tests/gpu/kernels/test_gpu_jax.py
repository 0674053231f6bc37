"""JAX on a GPU: the custom calls give what the kernels on the CPU give."""

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
