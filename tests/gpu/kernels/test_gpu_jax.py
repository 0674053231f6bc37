"""JAX on a GPU: the custom calls give what the kernels on the CPU give."""

import numpy as np
import pytest
from problems import assert_close
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


def test_vmap_is_one_call():
    from tailops.jax import tail_loss

    y_true, y_pred = problem_data("random", (30, 900), np.float32)
    options = TailOptions(0.9, 5.0)
    with jax.default_device(jax.devices("gpu")[0]):
        found = jax.vmap(lambda t, p: tail_loss(t, p, options, reduction="mean"))(y_true, y_pred)
    for i in range(30):
        expected = kernels.forward(y_true[i], y_pred[i], options, reduction="mean").loss
        np.testing.assert_allclose(found[i], expected, rtol=1e-5)
