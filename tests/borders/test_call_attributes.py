"""A custom call carries its options as numbers: exact, and with nothing to parse when it runs."""

import re

import numpy as np
import pytest
import tensorflow as tf

from tailops import _kernels, build_info, kernels, ops
from tailops._options import TailOptions

# Numbers that neither float32 nor a short decimal is, an infinity, and every choice but the first.
OPTIONS = [
    TailOptions(0.1 + 0.2, 1e-30 / 3, 7.0 / 3, 1.0 / 3, epsilon=1.2e-38),
    TailOptions(0.95, ignore_value=float("inf"), ignore_nan=True),
    TailOptions(
        0.5, error="smooth_absolute", method="linear", gradient="fixed_weight", axis=-1, epsilon=0.1
    ),
    TailOptions(
        0.5,
        error="squared",
        method="max_fraction",
        gradient="fixed_threshold",
        axis=0,
        smoothing_unit="threshold",
    ),
]
CALLS = list(zip(OPTIONS, _kernels.REDUCTIONS, strict=True))
Y = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
ZEROS = np.zeros_like(Y)
ZEROS[3:7] = np.inf  # ignored, by the second options


def expected(options, reduction):
    return kernels.forward(ZEROS, Y, options, reduction=reduction).loss


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("reduction", _kernels.REDUCTIONS)
def test_attributes_are_numbers(options, reduction):
    attributes = dict(_kernels.call_attributes(options.for_kernels(), options.axis, reduction))
    for name in ("percentile", "smoothing_factor", "error_scale", "beta", "epsilon"):
        assert attributes.pop(name) == getattr(options, name)
    places = {
        "error": "ERRORS",
        "method": "METHODS",
        "gradient": "GRADIENTS",
        "smoothing_unit": "SMOOTHING_UNITS",
    }
    for name, names in places.items():
        assert getattr(_kernels, names)[attributes.pop(name)] == getattr(options, name)
    assert _kernels.REDUCTIONS[attributes.pop("reduction")] == reduction
    assert attributes.pop("ignore_nan") == options.ignore_nan
    assert attributes.pop("ignore_value", None) == options.ignore_value
    assert attributes.pop("axis", None) == options.axis
    assert not attributes


@pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")
@pytest.mark.parametrize(("options", "reduction"), CALLS)
def test_in_tensorflow(options, reduction):
    @tf.function(jit_compile=True)
    def loss(y_true, y_pred):
        return ops.tail_loss(y_true, y_pred, options, reduction=reduction)

    arguments = tf.constant(ZEROS), tf.constant(Y)
    np.testing.assert_array_equal(loss(*arguments), expected(options, reduction))
    hlo = loss.experimental_get_compiler_ir(*arguments)("hlo")
    (carried,) = re.findall(r'custom_call_target="tailops_tail_loss".*backend_config=(.*)', hlo)
    assert re.search(r"percentile = 0x[0-9A-F]{16} : f64", carried), carried
    assert '"' not in carried


@pytest.mark.skipif(not build_info()["jax"], reason="built without JAX")
@pytest.mark.parametrize(("options", "reduction"), CALLS)
def test_in_jax(options, reduction):
    jax = pytest.importorskip("jax")
    from tailops.jax._tail_loss import tail_loss

    loss = jax.jit(lambda t, p: tail_loss(t, p, options, reduction=reduction))
    np.testing.assert_array_equal(loss(ZEROS, Y), expected(options, reduction))
    carried = loss.lower(ZEROS, Y).as_text()
    assert re.search(r"percentile = [-+.e0-9]+ : f64", carried), carried
