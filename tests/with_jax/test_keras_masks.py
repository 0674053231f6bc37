"""Masks of Keras's layers while JAX traces, where tensors take no attributes."""

import numpy as np
import pytest
from processes import run_python

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

FIT = """
    import keras
    import numpy as np
    from tailops.losses import PercentileLoss
    from tailops.metrics import ErrorPercentile, MaskedMeanAbsoluteError

    x = np.random.default_rng(0).standard_normal((8, 5, 3)).astype("float32")
    x[:, 3:] = 0
    y = np.where(x[..., :1] == 0, 1000, x[..., :1])
    inputs = keras.Input((5, 3))
    outputs = keras.layers.Dense(1)(keras.layers.Masking()(inputs))
    m = keras.Model(inputs, outputs)
    m.set_weights([np.ones((3, 1)), np.zeros(1)])
    m.compile(
        "sgd",
        PercentileLoss(0.9),
        metrics=[MaskedMeanAbsoluteError(None), ErrorPercentile(1.0)],
        jit_compile=True,
    )
    print(*m.evaluate(x, y, verbose=0))
"""


def test_what_is_masked_counts_for_nothing():
    """Labels of 1,000 stand where the inputs are masked."""
    printed = (run_python(FIT, KERAS_BACKEND=name) for name in ("jax", "tensorflow"))
    on_jax, on_tensorflow = (np.array(line.split(), float) for line in printed)
    np.testing.assert_allclose(on_jax, on_tensorflow, rtol=1e-5)
    assert on_jax[2] < 100
