"""`tailops.ops` with Keras on JAX: the functions of `tailops.jax`, inside of layers too."""

import pytest
from processes import run_python

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

IMPORTS = """
import sys
sys.modules["tensorflow"] = None  # it need not be there
import jax, keras, numpy as np
import tailops.jax
from tailops import ops
"""


def test_they_are_those_of_jax():
    run_python(
        IMPORTS
        + """
for name in ops.__all__:
    assert getattr(ops, name) is getattr(tailops.jax, name), name
assert float(ops.median([1.0, 3.0, 8.0])) == 3.0
options = keras.saving.serialize_keras_object(ops.TailOptions(0.9, axis=0))
assert keras.saving.deserialize_keras_object(options) == ops.TailOptions(0.9, axis=0)
""",
        KERAS_BACKEND="jax",
    )


def test_variables_are_arguments():
    run_python(
        IMPORTS
        + """
x, q = keras.Variable([1.0, 4.0, 2.0]), keras.Variable(0.5)
n, weights = keras.Variable(1, dtype="int32"), keras.Variable([1.0, 5.0, 1.0])
assert float(ops.quantile(x, q)) == 2.0
assert float(ops.quantile(x, q, method="inverted_cdf", weights=weights)) == 4.0
assert float(ops.nth_element(x, n, reverse=True)) == float(ops.top_k_mean(x, n)) / 2 == 2.0
assert float(ops.cvar(x, keras.Variable(1 / 3))) == 3.0
""",
        KERAS_BACKEND="jax",
    )


def test_inside_of_layers():
    """Whose batch has no size yet; and in a compiled step, which reads their variables anew."""
    run_python(
        IMPORTS
        + """
class Middle(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.q = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.counts = self.add_weight(shape=(3,), initializer="ones", trainable=False)

    def call(self, x):
        middle = ops.quantile(
            x, self.q, 1, "inverted_cdf", keepdims=True, weights=self.counts
        )
        known = ops.quantile(x, 0.5, -1, "inverted_cdf", True, weights=[0.1, 0.2, 0.3])
        largest = ops.top_k_mean(x, 2, axis=-1, keepdims=True)
        tail = ops.cvar(x, self.q, axis=1)[:, None]
        second = ops.nth_element(x, 1)[:, None]
        return keras.ops.concatenate([middle, known, largest, tail, second], 1)

inputs = keras.Input((3,))
layer = Middle()
model = keras.Model(inputs, keras.layers.Dense(1)(layer(keras.layers.Dense(3)(inputs))))
assert layer.output.shape == (None, 5)
x = np.random.default_rng(0).standard_normal((32, 3)).astype("float32")
model.compile(keras.optimizers.SGD(0.05), "mse", jit_compile=True)
history = model.fit(x, x[:, :1], epochs=5, verbose=0).history["loss"]
assert history[-1] < history[0]
layer.q.assign(0.5)
found = np.asarray(layer(x))
np.testing.assert_allclose(found[:, 0], np.median(x, 1))
np.testing.assert_allclose(found[:, 2], np.sort(x, 1)[:, 1:].mean(1), rtol=1e-5)
np.testing.assert_allclose(found[:, 4], np.median(x, 1))
try:
    ops.median(inputs)
except ValueError as error:
    assert "A KerasTensor cannot be used as input to a JAX function" in str(error)
else:
    raise AssertionError
""",
        KERAS_BACKEND="jax",
    )


def test_tensorflow_has_its_own():
    run_python(
        """
        from tailops import ops
        assert ops.median.__module__ == "tailops.selection"
        assert ops.tail_loss.__module__ == "tailops._tensorflow.ops"
        """,
        KERAS_BACKEND="tensorflow",
    )
