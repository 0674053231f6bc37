"""Under XLA: the same bits, one custom call each way, and no sort; and where XLA has no kernels."""

import re

import numpy as np
import pytest
import tensorflow as tf
from processes import run_python
from quick import quick

from tailops import build_info, reference_selection
from tailops._options import RANK_RULES as METHODS
from tailops.ops import median, nanquantile, nth_element, quantile, top_k_mean

pytestmark = pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")


def value_and_gradient(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return value, tape.gradient(value, x)


FUNCTIONS = {
    **{
        method: lambda x, method=method: quantile(x, [0.1, 0.9], axis=1, method=method)
        for method in METHODS
    },
    "scalar q": lambda x: quantile(x, 0.5),
    "columns": lambda x: quantile(x, [0.1, 0.9], axis=0, keepdims=True),
    "nanquantile": lambda x: nanquantile(x, 0.3, axis=-1),
    "median": lambda x: median(x, axis=1),
    "nth_element": lambda x: nth_element(x, 3),
    "top_k_mean": lambda x: top_k_mean(x, 5, axis=1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "dtype", quick("float32", of=["float16", "bfloat16", "float32", "float64"])
)
def test_same_bits(name, dtype):
    x = np.random.default_rng(0).integers(-50, 50, (30, 40)) / 8
    x[3, 4] = np.nan
    x = tf.cast(x, dtype)
    compiled = tf.function(lambda x: value_and_gradient(FUNCTIONS[name], x), jit_compile=True)
    for ours, expected in zip(compiled(x), value_and_gradient(FUNCTIONS[name], x), strict=True):
        wide = (tf.cast(t, tf.float64) for t in (ours, expected))
        # The sums of top_k_mean are TensorFlow's.
        tolerance = 0 if name != "top_k_mean" else 1e-2 if "16" in dtype else 1e-6
        np.testing.assert_allclose(*wide, rtol=tolerance)


def test_long_rows_and_integers():
    x = tf.constant(np.random.default_rng(0).standard_normal(300_000))
    compiled = tf.function(lambda x: quantile(x, [0.5, 0.99]), jit_compile=True)
    np.testing.assert_array_equal(compiled(x), quantile(x, [0.5, 0.99]))
    for dtype in ("int8", "int64", "uint16", "uint64"):
        x = tf.constant(np.random.default_rng(0).integers(0, 100, 50).astype(dtype))
        element = tf.function(nth_element, jit_compile=True)
        assert element(x, 7) == np.sort(x)[7]


def test_one_call_each_way_and_no_sort():
    step = tf.function(
        lambda x: value_and_gradient(lambda x: quantile(x, [0.5, 0.9]), x), jit_compile=True
    )
    hlo = step.experimental_get_compiler_ir(tf.ones(1000))(stage="optimized_hlo")
    targets = re.findall(r'custom_call_target="([^"]*)"', hlo)
    assert sorted(targets) == ["tailops_select", "tailops_select_grad"]
    assert not re.search(r"\b(sort|topk)\(", hlo)


def test_in_a_condition():
    @tf.function(jit_compile=True)
    def step(x):
        def inside(x):
            branch = tf.cond(x[0] > 0, lambda: quantile(x, 0.5), lambda: quantile(x, 0.9))
            return branch * 2

        return value_and_gradient(inside, x)

    value, slope = step(tf.constant([1.0, 2.0, 4.0]))
    assert value == 4
    np.testing.assert_array_equal(slope, [0, 2, 0])


@pytest.mark.parametrize("method", [*METHODS, "rank", "rank_from_top"])
@pytest.mark.parametrize("ignore_nan", [False, True])
def test_the_reference_is_the_same_function(method, ignore_nan):
    from tailops._tensorflow.library import library

    x = np.random.default_rng(0).standard_normal((4, 30, 3)).astype("float32")
    x[0, :4, 1] = np.nan
    x[:, ::7] = 0.5
    q = tf.constant([0.0, 2.0] if "rank" in method else [0.1, 0.6, 1.0], tf.float64)
    for axis in (None, 0, 1, -1):
        ours, _ = library.tailops_select(
            x=x,
            q=q,
            weights=[],
            method=method,
            ignore_nan=ignore_nan,
            axis=[] if axis is None else [axis],
        )
        expected = reference_selection.select(
            tf.constant(x), q, method=method, axis=axis, ignore_nan=ignore_nan
        )
        np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.extended
def test_without_kernels_for_xla():
    run_python(
        """
        import warnings
        import numpy as np
        import tensorflow as tf
        from tailops.ops import nth_element, quantile

        x = tf.constant(np.random.default_rng(0).standard_normal((20, 30)))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            f = tf.function(lambda x: quantile(x, [0.2, 0.9], axis=1), jit_compile=True)
            np.testing.assert_allclose(f(x), quantile(x, [0.2, 0.9], axis=1), rtol=1e-12)
            assert [w for w in caught if "no XLA support" in str(w.message)]
        g = tf.function(nth_element, jit_compile=True)
        assert g(tf.constant([3, 1, 2]), 1) == 2
        hlo = f.experimental_get_compiler_ir(x)(stage="optimized_hlo")
        assert "tailops_select" not in hlo
        """,
        TAILOPS_XLA="off",
    )
