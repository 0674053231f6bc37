"""Keras's symbolic tensors: shapes, functional models, and what is saved of them."""

import keras
import numpy as np
import pytest
from processes import run_python

from tailops.losses import percentile_loss
from tailops.ops import (
    TailOptions,
    cvar,
    median,
    nanquantile,
    nth_element,
    quantile,
    tail_loss,
    tail_weighted,
    top_k_mean,
)

X = np.random.default_rng(0).standard_normal((5, 4, 3)).astype("float32")
CALLS = {
    "quantile": (lambda x: quantile(x, [0.1, 0.5, 0.9], axis=[1, 2]), (3, None)),
    "keepdims": (lambda x: quantile(x, 0.5, axis=1, keepdims=True), (None, 1, 3)),
    "keywords": (lambda x: quantile(x=x, q=np.float32([0.5]), axis=(-1,)), (1, None, 4)),
    "matrix of q": (lambda x: quantile(x, [[0.1, 0.2]], axis=-1), (1, 2, None, 4)),
    "everything": (lambda x: quantile(x, 0.5, method="floor"), ()),
    "nanquantile": (lambda x: nanquantile(x, 0.3, axis=2), (None, 4)),
    "median": (lambda x: median(x, axis=(1, 2)), (None,)),
    "nth_element": (lambda x: nth_element(x, 1, reverse=True), (None, 4)),
    "top_k_mean": (lambda x: top_k_mean(x, 2, axis=1), (None, 3)),
    "cvar": (lambda x: cvar(x, 0.6, (1, 2)), (None,)),
    "tail_weighted": (lambda x: tail_weighted(x, axis=1, gradient="fixed_weight"), (None, 4, 3)),
    "tail_loss": (
        lambda x: tail_loss(x, x * 2, TailOptions(0.5, axis=1), reduction="none"),
        (None, 4, 3),
    ),
    "percentile_loss": (lambda x: percentile_loss(x, x * 2, 0.5), (None, 4)),
}


@pytest.mark.parametrize("name", CALLS)
def test_shape_model_and_file(name, tmp_path):
    call, shape = CALLS[name]
    x = keras.Input((4, 3))
    symbolic = call(x)
    assert isinstance(symbolic, keras.KerasTensor)
    assert symbolic.shape == shape
    assert symbolic.dtype == "float32"
    model = keras.Model(x, symbolic)
    expected = call(X).numpy()
    np.testing.assert_array_equal(model(X), expected)
    if shape[:1] == (None,):  # what Keras puts together batch by batch
        np.testing.assert_array_equal(model.predict(X, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(X), expected)


def test_static_shapes_and_dtypes():
    x = keras.Input(batch_shape=(5, 4, 3), dtype="float16")
    assert quantile(x, [0.5], axis=0).shape == (1, 4, 3)
    assert quantile(x, 0.5).dtype == "float16"
    assert nth_element(keras.Input((7,), dtype="int64"), 0).dtype == "int64"


def test_symbolic_ranks_and_fractions():
    x, q, k = keras.Input((4, 3)), keras.Input(batch_shape=(2,)), keras.Input((), dtype="int32")
    model = keras.Model([x, q, k], [quantile(x, q, axis=1), top_k_mean(x, k[0], axis=1)])
    quantiles, means = model([X, np.float32([0.25, 0.5]), np.int32([2])])
    np.testing.assert_array_equal(quantiles, quantile(X, np.float32([0.25, 0.5]), axis=1))
    np.testing.assert_array_equal(means, top_k_mean(X, 2, axis=1))


def test_trains_through_it():
    x = keras.Input((4, 3))
    dense = keras.layers.Dense(2)
    model = keras.Model(x, quantile(dense(x), 0.5, axis=1))
    model.compile("sgd", "mse", jit_compile=True)
    before = dense.kernel.numpy()
    model.fit(X, np.ones((5, 2)), epochs=1, verbose=0)
    assert np.all(before != dense.kernel.numpy())


def test_loads_in_a_new_process(tmp_path):
    x = keras.Input((4, 3))
    path = tmp_path / "model.keras"
    outputs = [quantile(x, [0.1, 0.9], axis=1), tail_loss(x, x, TailOptions(0.5))]
    keras.Model(x, outputs).save(path)
    code = """
        import sys
        import keras
        import numpy as np
        import tailops.ops
        model = keras.models.load_model(sys.argv[1])
        print(model.output_shape)
    """
    assert "[(2, None, 3), (None, 4)]" in run_python(code, str(path))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: quantile(x, 1.5), ValueError, r"^q=1\.5: must be in \[0, 1\]"),
        (lambda x: quantile(x, 0.5, axis=3), ValueError, r"^axis=3: must be in \[-3, 3\)"),
        (lambda x: nth_element(x, 3), ValueError, r"^n=3: must be in \[0, 2\]"),
        (lambda x: nth_element(keras.ops.cast(x, "bool"), 0), TypeError, "^input of dtype bool"),
        (lambda x: quantile(X, 0.5, axis=x), TypeError, "^axis is a tensor that only run time"),
    ],
)
def test_errors_come_at_once(call, error, message):
    with pytest.raises(error, match=message):
        call(keras.Input((4, 3)))


def test_another_backend_is_told(monkeypatch):
    x = keras.Input((4, 3))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(TypeError, match="of Keras on jax: must be one of Keras on TensorFlow"):
        quantile(x, 0.5)
