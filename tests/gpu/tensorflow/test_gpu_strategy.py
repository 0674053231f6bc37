"""Training on the GPU under tf.distribute, which places variables and steps by itself."""

from pathlib import Path

import numpy as np
import pytest
from processes import run_script

from tailops import build_info

if not build_info()["tensorflow"]:
    pytest.skip("tailops was built without TensorFlow", allow_module_level=True)

tf = pytest.importorskip("tensorflow")


def trained(scope, jit_compile):
    """The losses of some epochs, and the variable that was trained."""
    import keras

    from tailops.losses import HybridPercentileLoss

    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=(shape[-1],), initializer="zeros")

        def call(self, x):
            return x * self.scale

    x = np.random.default_rng(0).standard_normal((512, 4)).astype("float32")
    with scope:
        model = keras.Sequential([keras.Input((4,)), Scale()])
        loss = HybridPercentileLoss(0.9, 5.0)
        model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=jit_compile)
        history = model.fit(x, 2 * x, batch_size=128, epochs=3, shuffle=False, verbose=0)
        return history.history["loss"], model.trainable_variables[0].numpy()


@pytest.mark.parametrize("jit_compile", [False, "auto"])
def test_mirrored_strategy_with_one_gpu(jit_compile):
    expected, expected_scale = trained(tf.device("CPU:0"), False)
    strategy = tf.distribute.MirroredStrategy(["GPU:0"])
    losses, scale = trained(strategy.scope(), jit_compile)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(scale, expected_scale, rtol=1e-4)


def test_ops_of_each_replica_run_on_its_device():
    from tailops import ops

    strategy = tf.distribute.MirroredStrategy(["GPU:0"])

    @tf.function
    def step():
        return ops.tail_loss(tf.zeros((100,)), tf.range(100, dtype=tf.float32))

    loss = strategy.run(step)
    assert "GPU:0" in loss.device
    assert np.isfinite(loss.numpy()).all()


def test_one_threshold_for_two_replicas():
    """Two logical GPUs on one: what is found is, bit for bit, what one device finds."""
    run_script(Path(__file__).parents[2] / "synchronized" / "mirrored.py", 2, "GPU")
