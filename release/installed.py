"""What is asked of a wheel where it is installed: `installed.py WHAT`; prints a line, or fails.

Runs in an environment of its own, outside the source tree, without a compiler.
"""

import importlib.metadata
import re
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

SAMPLES = 250


def data():
    """A line with noise of heavy tails."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, 8)).astype("float32")
    return x, x[:, :1] + rng.standard_t(2, (SAMPLES, 1)).astype("float32")


def fit(**compiled):
    """A model and what its loss was, epoch by epoch."""
    import keras

    from tailops.losses import TailWeightedLoss

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile("adam", TailWeightedLoss("mae", percentile=0.9), **compiled)
    x, y = data()
    return model, model.fit(x, y, batch_size=50, epochs=2, verbose=0).history["loss"]


def check_import():
    """The kernels need no framework; licences are there."""
    import tailops.kernels

    files = importlib.metadata.files("tailops")
    licences = {file.name for file in files if "licenses" in file.parts}
    assert licences == {"LICENSE", "THIRD_PARTY_NOTICES.md"}, licences

    y = np.array([1.0, 4.0, 2.0, 8.0])
    assert tailops.kernels.select_forward(y, [0.5])[0].size == 1
    assert not {"tensorflow", "jax", "keras"} & sys.modules.keys()
    return importlib.metadata.version("tailops")


def check_eager():
    """The op, its gradient, and the same in plain TensorFlow."""
    import tensorflow as tf

    from tailops import ops, reference

    values = []
    for module in (ops, reference):
        y = tf.constant(data()[1])
        with tf.GradientTape() as tape:
            tape.watch(y)
            loss = module.tail_loss(tf.zeros_like(y), y, reduction="mean")
        values.append((loss, tape.gradient(loss, y)))
    for ours, theirs in zip(*values, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-9)
    return f"TensorFlow {tf.__version__}"


def check_graph():
    """Training in a graph, and outside of one."""
    _, inside = fit(jit_compile=False)
    _, outside = fit(run_eagerly=True, jit_compile=False)
    np.testing.assert_allclose(inside, outside, rtol=1e-5)
    return f"loss {inside[-1]:.4f}"


def check_xla():
    """Training with jit_compile: our kernels, or a warning that says what stands in."""
    import tensorflow as tf

    import tailops

    minor = ".".join(tf.__version__.split(".")[:2])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, compiled = fit(jit_compile=True)
    said = [str(w.message) for w in caught if "tailops has no XLA support here" in str(w.message)]
    np.testing.assert_allclose(compiled, fit(jit_compile=False)[1], rtol=1e-5)
    has = minor in tailops.build_info()["xla"]
    assert len(said) == (0 if has else 1), said
    from tailops.losses import percentile_loss

    y = data()[1]
    step = tf.function(lambda y: percentile_loss(tf.zeros_like(y), y), jit_compile=True)
    hlo = step.experimental_get_compiler_ir(tf.constant(y))(stage="optimized_hlo")
    assert ("tailops" in hlo) == has
    return "kernels" if has else "warns, plain TensorFlow"


def check_saving():
    """What is loaded evaluates to the same."""
    import keras

    import tailops.losses  # noqa: F401, what is saved names it

    model, _ = fit()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
    x, y = data()
    ours, theirs = (m.evaluate(x, y, verbose=0) for m in (loaded, model))
    assert ours == theirs
    return f"loss {ours:.4f}"


def check_jax():
    """JAX's functions, and Keras on JAX, where there is no TensorFlow."""
    import os

    os.environ["KERAS_BACKEND"] = "jax"
    import jax

    import tailops.jax

    y = data()[1]
    value = jax.jit(lambda y: tailops.jax.percentile_loss(0 * y, y).mean())(y)
    assert np.isfinite(value)
    _, losses = fit()
    assert "tensorflow" not in sys.modules
    return f"JAX {jax.__version__}, loss {losses[-1]:.4f}"


def check_readme(readme):
    """Its snippets, in their order, in one process."""
    snippets = re.findall(r"^```python\n(.*?)^```", Path(readme).read_text(), re.M | re.S)
    assert snippets
    names = {"__name__": "__main__"}
    for snippet in snippets:
        exec(compile(snippet, readme, "exec"), names)
    return f"{len(snippets)} snippets"


if __name__ == "__main__":
    print(globals()[f"check_{sys.argv[1]}"](*sys.argv[2:]))
