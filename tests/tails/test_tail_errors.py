"""Bad input: an error that names the argument, its value, and what is allowed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tailops import build_info, ops
from tailops.ops import (
    average_top_k,
    cvar,
    ohem,
    range_mean,
    tail_mask,
    tail_weighted,
    trimmed_mean,
)

V = np.float32([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
NOBODY = np.zeros_like(V, bool)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: average_top_k(V, 0), "k=0: must be above 0"),
        (lambda: average_top_k(V, -1.5), r"k=-1\.5: must be above 0"),
        (lambda: average_top_k(V, np.inf), "k=inf: must be above 0, and finite"),
        (lambda: average_top_k(V, np.nan), "k=nan: must be"),
        (lambda: average_top_k(V, 7), "k=7: must be at most the number of values of a group, 6"),
        (lambda: average_top_k(V, 4, axis=1), "k=4: must be at most .* 3"),
        (lambda: average_top_k(V, tf.constant(4), axis=1), "k=4: must be at most .* 3"),
        (lambda: average_top_k(V, [1, 2]), r"k of shape \(2,\): must be a scalar"),
        (lambda: range_mean(V, 0.5, 0.5), r"lower=0\.5, upper=0\.5: lower must be below upper"),
        (lambda: range_mean(V, 0.7, 0.5), r"lower=0\.7, upper=0\.5"),
        (lambda: range_mean(V, -0.1, 0.5), r"lower=-0\.1: must be in \[0, 1\)"),
        (lambda: range_mean(V, 0.5, 1.1), r"upper=1\.1: must be in \(0, 1\]"),
        (lambda: range_mean(V, np.nan, 0.5), "lower=nan: must be"),
        (lambda: tail_mask(V, 1.0), r"lower=1: must be in \[0, 1\)"),
        (lambda: cvar(V, 1.0), r"percentile=1: must be a fraction in \[0, 1\)"),
        (lambda: cvar(V, 95), "percentile=95: must be a fraction"),
        (lambda: cvar(V, tf.Variable(-0.5)), r"percentile=-0\.5: must be"),
        (lambda: cvar(V, keras.Variable(2.0)), "percentile=2: must be"),
        (lambda: trimmed_mean(V, 1.0), r"fraction=1: must be in \[0, 1\)"),
        (lambda: ohem(V, np.nan), "threshold=nan: must be a number"),
        (lambda: ohem(V, 1.0, 0), "min_kept=0: must be a whole number, at least 1"),
        (lambda: ohem(V, 1.0, 1.5), r"min_kept=1\.5: must be a whole number"),
        (lambda: tail_weighted(V, 0.0), "percentile"),
        (lambda: tail_weighted(V, method="max_fraction"), "method='max_fraction'"),
        (lambda: cvar(V, axis=2), r"axis=2: must be in \[-2, 2\) for values of 2 dim"),
        (lambda: cvar(V, axis=(0, -3)), r"axis=\(0, -3\): must be in"),
        (lambda: cvar(V, axis=(1, -1)), r"axis=\(1, -1\): an axis is there twice"),
        (lambda: tail_weighted(V, axis=5), "axis=5: must be in"),
        (lambda: cvar(V, reduction="average"), "reduction='average': must be one of"),
        (lambda: tail_weighted(V, reduction="per_sample"), "reduction='per_sample'"),
        (lambda: cvar(V, impl="fast"), "impl='fast': must be one of 'fused', 'reference'"),
        (lambda: cvar(V, mask=np.ones(3, bool)), r"mask of shape \(3,\): must be that of values"),
        (
            lambda: cvar(np.zeros((0,), "float32")),
            r"shape \(0,\): there must be at least",
        ),
        (lambda: cvar(np.zeros((3, 0), "float32"), axis=1), "there must be at least one in every"),
    ],
)
def test_values_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cvar([1, 2, 3]), "values of dtype int32: must be one of float16"),
        (lambda: cvar(V > 1), "values of dtype bool: must be"),
        (lambda: tail_weighted(np.arange(3)), "values of dtype int64: must be"),
        (lambda: tail_mask(tf.sparse.from_dense(V)), "values is a SparseTensor: must be dense"),
        (lambda: cvar(V, mask=V), "mask of dtype float32: must be bool"),
        (lambda: cvar(V, "0.9"), "percentile='0.9': must be a number, not str"),
        (lambda: cvar(V, None), "percentile=None: must be a number, not NoneType"),
        (lambda: average_top_k(V, True), "k=True: must be a number, not bool"),
        (lambda: average_top_k(V, tf.constant("2")), "k of dtype string: must be a number"),
        (lambda: range_mean(V, 0, tf.constant(1j)), "upper of dtype complex128: must be"),
        (lambda: tail_weighted(V, tf.constant("1")), "percentile of dtype string: must be a num"),
        (lambda: tail_weighted(V, tf.constant(True)), "percentile of dtype bool: must be a number"),
        (lambda: tail_weighted(V, error="squared"), "error='squared': there is no such option"),
        (lambda: tail_weighted(V, ignore_value=0.0), "ignore_value=0.0: there is no such option"),
        (lambda: cvar(V, axis=0.5), "axis=0.5: must be an integer"),
        (lambda: cvar(V, axis=True), "axis=True: must be an integer"),
    ],
)
def test_values_of_another_type(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def _functions(jit_compile, impl):
    def compiled(function):
        return tf.function(function, jit_compile=jit_compile)

    return {
        "between": compiled(lambda a, b: range_mean(V, a, b, impl=impl)),
        "top": compiled(lambda k: average_top_k(V, k, axis=1, impl=impl)),
        "hard": compiled(lambda t, m: ohem(V, t, m, impl=impl)),
        "masked": compiled(lambda k, mask: average_top_k(V, k, axis=1, mask=mask, impl=impl)),
    }


BAD = [
    ("between", (0.5, 0.5), "lower.*upper"),
    ("between", (-0.5, 0.5), "lower.*upper"),
    ("between", (0.5, 1.5), "lower.*upper"),
    ("between", (np.nan, 1.0), "lower.*upper"),
    ("top", (0.0,), "k.*must be above 0"),
    ("top", (3.5,), "k.*must be at most the number of valid values|k.*at most the number"),
    ("hard", (np.nan, 1.0), "threshold.*min_kept"),
    ("hard", (0.5, 0.0), "threshold.*min_kept"),
    ("masked", (2.0, V < 5), "k.*at most the number of valid"),
]


@pytest.mark.parametrize(
    ("jit_compile", "impl"), [(False, "fused"), (False, "reference"), (True, "fused")]
)
def test_what_only_run_time_knows(jit_compile, impl):
    if jit_compile and not build_info()["xla"]:
        pytest.skip("built without XLA")
    functions = _functions(jit_compile, impl)
    for name, numbers, message in BAD:
        given = [tf.constant(x) for x in numbers]
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            functions[name](*given)
    np.testing.assert_allclose(functions["between"](tf.constant(0.5), tf.constant(1.0)), 5.0)
    np.testing.assert_allclose(functions["top"](tf.constant(3.0)), [2.0, 5.0])
    # Where all is ignored there is nothing that k could be above.
    np.testing.assert_array_equal(functions["masked"](tf.constant(3.0), NOBODY), [0, 0])


def test_k_and_the_mask():
    """Known or not, k is at most how many count."""
    with pytest.raises(tf.errors.InvalidArgumentError, match="k=2: must be at most"):
        average_top_k(V, 2, axis=1, mask=V < 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most the number of valid values"):
        average_top_k(V, 2, axis=1, mask=V < 5, impl="reference")


def test_unknown_shapes():
    unknown = tf.TensorSpec(None, tf.float32)
    with pytest.raises(ValueError, match="values of unknown rank"):
        tf.function(cvar).get_concrete_function(unknown)
    sizes = tf.TensorSpec([None, None, None], tf.float32)
    compiled = tf.function(lambda v: cvar(v, 0.5, axis=(0, 2))).get_concrete_function(sizes)
    values = np.random.default_rng(0).standard_normal((4, 5, 6)).astype("float32")
    np.testing.assert_allclose(compiled(tf.constant(values)), cvar(values, 0.5, axis=(0, 2)))
    weighted = tf.function(lambda v: tail_weighted(v, 0.5, axis=(0, 2)))
    np.testing.assert_allclose(
        weighted.get_concrete_function(sizes)(tf.constant(values)),
        tail_weighted(values, 0.5, axis=(0, 2)),
    )
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="at least one"):
        compiled(tf.zeros([0, 5, 6]))


def test_no_second_derivative_of_the_op():
    values = tf.constant(V)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        inner.watch(values)
        outer.watch(values)
        result = cvar(values, 0.5) ** 2
        slope = inner.gradient(result, values)
    with pytest.raises((NotImplementedError, LookupError)):
        outer.gradient(slope, values)


def test_they_are_all_here():
    assert ops.__all__ == sorted(ops.__all__, key=lambda name: (name.islower(), name))
