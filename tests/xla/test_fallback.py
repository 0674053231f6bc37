"""Where XLA has no kernels of ours: the reference is compiled, with one warning, and fit runs."""

import pytest
from processes import run_python

from tailops import build_info

FIT = """
    import warnings
    import keras
    import numpy as np
    import tensorflow as tf

    from tailops import ops
    from tailops.losses import PercentileLoss, percentile_loss

    rng = np.random.default_rng(0)
    x = rng.standard_normal((150, 4)).astype("float32")
    y = x[:, :1]

    def curve(jit_compile):
        keras.utils.set_random_seed(0)
        m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        m.compile("adam", PercentileLoss(0.9, 2.0), jit_compile=jit_compile)
        return m.fit(x, y, batch_size=64, epochs=2, verbose=0).history["loss"]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outside = curve(False)
        assert not caught, caught[0]
        np.testing.assert_allclose(curve(True), outside, rtol=1e-5)
        ours = [str(w.message) for w in caught if "tailops" in str(w.message)]
        assert len(ours) == 1, ours
        print(ours[0])

    def inner(y):
        return tf.reduce_sum(percentile_loss(tf.zeros_like(y), y))

    outer = tf.function(lambda y: tf.function(inner)(y), jit_compile=True)
    np.testing.assert_allclose(outer(y), inner(y), rtol=1e-5)
    hlo = outer.experimental_get_compiler_ir(y)(stage="optimized_hlo")
    assert "tailops_tail_loss" not in hlo
    plain = tf.function(inner)
    operations = [o.type for o in plain.get_concrete_function(y).graph.get_operations()]
    assert "Tailops>TailLoss" in operations
"""


def test_fit_and_functions_within_functions():
    printed = run_python(FIT, TAILOPS_XLA="off")
    assert "no XLA support here (TAILOPS_XLA=off)" in printed
    assert "jit_compile" in printed


WARNING = """
    import warnings
    import tensorflow as tf
    from tailops import ops

    x = tf.constant([1.0, 2.0, 4.0])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert ops.tail_loss(0 * x, x, reduction="mean") == 9.0
        assert not [w for w in caught if "tailops" in str(w.message)]
        assert tf.function(ops.tail_loss, jit_compile=True)(0 * x, x).numpy().tolist() == [1, 2, 24]
        print(*[w.message for w in caught if "tailops" in str(w.message)])
"""


@pytest.mark.extended
def test_a_build_without_xla():
    without = """
    from tailops import _build
    _build.XLA = "libtailops_absent.so"
    """
    assert "built without it for TensorFlow" in run_python(without + WARNING)


@pytest.mark.extended
def test_a_gpu_that_this_build_does_not_support():
    """Keras compiles for a GPU by itself; without CUDA kernels that must not fail."""
    fake = """
    import tensorflow as tf
    from tailops import _kernels
    _kernels.build_info = lambda info=_kernels.build_info(): {**info, "cuda": False}
    tf.config.list_logical_devices = lambda kind=None: ["GPU:0"] if kind == "GPU" else []
    """
    assert "built without CUDA" in run_python(fake + WARNING)


@pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")
@pytest.mark.extended
def test_a_library_that_does_not_load(tmp_path):
    (tmp_path / "broken.so").write_text("not a library")
    broken = f"""
    import tensorflow as tf
    load = tf.load_library
    tf.load_library = lambda path: load({str(tmp_path / "broken.so")!r})
    """
    assert "its library does not load" in run_python(broken + WARNING)


def test_a_switch_that_is_neither_on_nor_off():
    code = """
        try:
            import tailops.ops
        except ValueError as error:
            print(error)
        """
    assert "TAILOPS_XLA='no': must be 'on' or 'off'" in run_python(code, TAILOPS_XLA="no")
