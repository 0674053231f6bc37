"""The Keras losses with Keras on JAX, each in an interpreter of its own."""

import numpy as np
import pytest
from processes import run_python

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

CURVES = """
    import sys
    import keras
    import numpy as np
    from tailops.losses import HybridPercentileLoss, MaxFractionLoss, PercentileLoss

    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 4)).astype("float32")
    y = x[:, :1] + 0.1 * rng.standard_normal((150, 1)).astype("float32")
    start = [rng.standard_normal((4, 1)).astype("float32"), np.zeros(1, "float32")]
    weights = np.linspace(0, 1, 150, dtype="float32")

    def fit(loss, **arguments):
        m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        m.set_weights(start)
        m.compile(keras.optimizers.Adam(0.05), loss, **arguments)
        options = {"batch_size": 64, "epochs": 3, "shuffle": False, "verbose": 0}
        weighted = m.fit(x, y, sample_weight=weights, **options).history["loss"]
        return m, weighted + m.fit(x, y, **options).history["loss"]

    losses = [
        PercentileLoss(0.9, 2.0, method="linear"),
        MaxFractionLoss(0.9, 2.0, gradient="fixed_threshold"),
        HybridPercentileLoss(0.9, 2.0, gradient="fixed_weight", axis=0),
    ]
"""
PRINT = """
    for loss in losses:
        print(*fit(loss)[1])
"""


def test_curves_are_those_of_tensorflow():
    printed = (run_python(CURVES + PRINT, KERAS_BACKEND=name) for name in ("jax", "tensorflow"))
    on_jax, on_tensorflow = (
        np.array([line.split() for line in lines.splitlines()], float) for lines in printed
    )
    assert on_jax.shape == (3, 6)
    np.testing.assert_allclose(on_jax, on_tensorflow, rtol=1e-5)
    assert (on_jax[:, -1] < on_jax[:, 3]).all()


@pytest.mark.extended
def test_saving_jit_and_what_is_loaded(tmp_path):
    """Keras itself may load TensorFlow; tailops does not."""
    check = f"""
    import os
    os.chdir({str(tmp_path)!r})
    import tailops
    m, history = fit(losses[0], jit_compile=True)
    m.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    np.testing.assert_allclose(
        loaded.evaluate(x, y, verbose=0), m.evaluate(x, y, verbose=0), rtol=1e-6
    )
    assert type(losses[0](y, y)).__module__.startswith("jax")
    assert "tailops.ops" not in sys.modules and "tailops.reference" not in sys.modules
    room = [name for name in sys.modules if name.startswith("tailops._tensorflow.")]
    assert room == ["tailops._tensorflow.version"], room
    """
    run_python(CURVES + check, KERAS_BACKEND="jax")


def test_functions_and_their_errors():
    run_python(
        """
        import sys
        import jax
        import keras
        import numpy as np

        loaded_by_keras = "tensorflow" in sys.modules
        from tailops.losses import percentile_loss, PercentileLoss

        assert loaded_by_keras or "tensorflow" not in sys.modules
        x = np.float32([1, 2, 4])
        assert isinstance(percentile_loss(0 * x, x), jax.Array)
        assert percentile_loss(0 * x, x).tolist() == [1.0, 2.0, 24.0]
        for bad, error, message in [
            (lambda: percentile_loss(x, x, impl="reference"), ValueError, "backend 'jax'"),
            (lambda: PercentileLoss()(x, x > 1), TypeError, "y_pred of dtype bool"),
            (lambda: PercentileLoss()(x, x[:2]), ValueError, "nothing is broadcast"),
        ]:
            try:
                bad()
            except error as problem:
                assert message in str(problem), problem
            else:
                raise AssertionError(message)
        """,
        KERAS_BACKEND="jax",
    )
