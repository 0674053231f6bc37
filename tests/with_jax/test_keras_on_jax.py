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
    from tailops.losses import CVaRLoss, HybridPercentileLoss, MaxFractionLoss, PercentileLoss
    from tailops.losses import TailWeightedLoss

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
        PercentileLoss(0.9, 2.0, gradient="fixed_weight", weighted=True),
        TailWeightedLoss("huber", 0.9, gradient="fixed_weight", weighted=True),
        CVaRLoss("mse", 0.8, weighted=True),
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
    assert on_jax.shape == (6, 6)
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
    assert not room, room
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


AROUND = """
    import keras
    import numpy as np
    from tailops.losses import (
        AverageTopKLoss, CVaRLoss, OHEMLoss, TailWeightedLoss, TrimmedLoss
    )

    rng = np.random.default_rng(0)
    x = rng.standard_normal((24, 6, 6, 2)).astype("float32")
    labels = (x[..., 0] > x[..., 1]).astype("int32")
    labels[rng.random(labels.shape) < 0.2] = 255
    labels[3] = 255
    start = [rng.standard_normal((1, 1, 2, 2)).astype("float32"), np.zeros(2, "float32")]
    weights = np.linspace(0, 2, 24, dtype="float32")
    pixels = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    losses = [
        AverageTopKLoss(pixels, fraction=0.3, axis=(1, 2)),
        AverageTopKLoss(pixels, 40),
        CVaRLoss(pixels, 0.7, axis=0, reduction="sum"),
        OHEMLoss(pixels, 0.5, 30),
        TrimmedLoss(pixels, 0.1, axis=(1, 2), reduction="mean_with_sample_weight"),
        TailWeightedLoss(pixels, axis=(1, 2)),
    ]

    def layers():
        return [keras.Input((6, 6, 2)), keras.layers.Conv2D(2, 1)]

    def fit(loss):
        m = keras.Sequential(layers())
        m.set_weights(start)
        m.compile(keras.optimizers.Adam(0.05), loss)
        options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        weighted = m.fit(x, labels, sample_weight=weights, **options).history["loss"]
        return weighted + m.fit(x, labels, **options).history["loss"]

    def masked():
        inputs = keras.Input((6, 2))
        steps = keras.layers.Masking(0.0)(inputs)
        m = keras.Model(inputs, keras.layers.TimeDistributed(keras.layers.Dense(1))(steps))
        m.set_weights([start[0][0, 0, :, :1], np.zeros(1, "float32")])
        data = x[:, 0].copy()
        data[:, 4:] = 0
        found = []
        for loss in (TailWeightedLoss("mae"), TailWeightedLoss("log_cosh"), CVaRLoss("mae", 0.5)):
            m.compile("sgd", loss)
            found.append(m.evaluate(data, x[:, 1, :, :1], batch_size=24, verbose=0))
        return found

    for loss in losses:
        print(*fit(loss))
    print(*masked(), 0)
"""


def test_losses_around_others_are_those_of_tensorflow():
    """Pixels, groups, sample weights, and Keras's masks, in compiled steps."""
    printed = (run_python(AROUND, KERAS_BACKEND=name) for name in ("jax", "tensorflow"))
    on_jax, on_tensorflow = (
        np.array([line.split() for line in lines.splitlines()], float) for lines in printed
    )
    assert on_jax.shape == (7, 4)
    np.testing.assert_allclose(on_jax, on_tensorflow, rtol=2e-5)


def test_a_schedule_is_a_variable_of_the_model():
    """Another one would be read once: an error that says so."""
    run_python(
        """
        import keras
        import numpy as np
        from tailops.losses import CVaRLoss

        class Schedule(keras.layers.Layer):
            def __init__(self, number):
                super().__init__()
                self.number = number

            def call(self, x):
                return x

        x = np.random.default_rng(0).standard_normal((20, 3)).astype("float32")
        y = np.sin(x[:, :1])
        number = keras.Variable(0.0, trainable=False)

        def fit(*more):
            m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1), *more])
            m.compile(keras.optimizers.SGD(0.0), CVaRLoss("mae", number))
            assign = keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, _: number.assign(0.4 * epoch)
            )
            options = {"batch_size": 20, "epochs": 3, "verbose": 0}
            return m, m.fit(x, y, callbacks=[assign], **options).history["loss"]

        m, found = fit(Schedule(number))
        expected = [float(CVaRLoss("mae", 0.4 * i)(y, m(x))) for i in range(3)]
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        try:
            fit()
        except ValueError as problem:
            assert "percentile=" in str(problem) and "variable of the model" in str(problem)
        else:
            raise AssertionError("it was read once")
        """,
        KERAS_BACKEND="jax",
    )
