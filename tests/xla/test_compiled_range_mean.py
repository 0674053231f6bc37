"""Range means under `jit_compile=True`: the kernels' bits, one call each way, bounds as data."""

import functools
import re

import numpy as np
import pytest
import tensorflow as tf
from processes import run_python
from range_problems import BOUNDS, assert_same_bits, cases, expected_of, problem

from tailops import _kernels, build_info, kernels
from tailops._tensorflow.library import library
from tailops._tensorflow.range_mean import range_mean, range_weights
from tailops._tensorflow.xla import load_kernels

pytestmark = pytest.mark.skipif(not build_info()["xla"], reason="built without XLA")

compiled = functools.partial(tf.function, jit_compile=True, autograph=False)


@pytest.fixture(autouse=True, scope="module")
def kernels_of_xla():
    load_kernels()


def mean_and_slope(values, bounds, kind, axis, mask=None):
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = range_mean(values, bounds, kind, axis, mask)
    upstream = tf.cast(tf.reshape(tf.range(tf.size(mean)) % 7 - 3, tf.shape(mean)), mean.dtype)
    return mean, tape.gradient(mean, values, upstream)


@pytest.mark.parametrize(("kind", "axis", "dtype", "masked"), cases(None, 0, 1, -1))
def test_the_bits_of_the_kernels(kind, axis, dtype, masked):
    values, mask = problem(dtype, masked)
    bounds = BOUNDS[kind]
    step = compiled(lambda v, b: mean_and_slope(v, b, kind, axis, mask))
    found = step(tf.constant(values), tf.constant(bounds, tf.float64))
    assert_same_bits(found, expected_of(values, bounds, kind, axis, mask))


@pytest.mark.parametrize("kind", BOUNDS)
def test_weights(kind):
    values, mask = problem(masked=True)
    weights = compiled(lambda v, b: range_weights(v, b, kind, 1, mask))
    found = weights(tf.constant(values), tf.constant(BOUNDS[kind], tf.float64))
    mean, state = kernels.range_mean_forward(values, BOUNDS[kind], kind, 1, mask)
    expected = kernels.range_mean_gradient(np.ones_like(mean), values, state, 1, mask)
    assert_same_bits([found], [expected])


def test_other_bounds_are_no_other_compilation():
    """Neither as an argument, nor as a variable, nor as what the graph computes."""
    bounds = tf.Variable([0.5, 1.0], dtype=tf.float64)
    traces = []

    @compiled
    def means(values, low):
        traces.append(1)
        computed = tf.stack([low, 0.75])
        return [range_mean(values, b, "between", None) for b in (bounds, computed)]

    values = tf.constant(np.random.default_rng(0).standard_normal(300))
    for low in (0.0, 0.1 + 0.2, 0.7):
        bounds.assign([low, 0.9])
        ours = means(values, tf.constant(low, tf.float64))
        for found, high in zip(ours, (0.9, 0.75), strict=True):
            assert found.numpy() == kernels.range_mean(values.numpy(), (low, high), "between")
    assert len(traces) == 1
    hlo = means.experimental_get_compiler_ir(values, tf.constant(0.3, tf.float64))("hlo")
    calls = re.findall(r'custom_call_target="tailops_range_mean".*', hlo)
    assert len(calls) == 2
    for call in calls:  # what is compiled in is which kind, and no number
        assert re.search(r"backend_config=\{?kind = 0 : i64", call), call


def test_one_call_each_way_and_no_sort():
    def step(values, bounds):
        with tf.GradientTape() as tape:
            tape.watch(values)
            mean = range_mean(values, bounds, "between", 0)
        return mean, tape.gradient(mean, values)

    arguments = tf.ones((1000, 3)), tf.constant([0.9, 1.0], tf.float64)
    hlo = compiled(step).experimental_get_compiler_ir(*arguments)(stage="optimized_hlo")
    targets = re.findall(r'custom_call_target="([^"]*)"', hlo)
    assert sorted(targets) == ["tailops_range_mean", "tailops_range_mean_grad"]
    assert not re.search(r"\b(sort|topk)\(", hlo)


def test_long_rows_on_several_threads():
    values = tf.constant(np.random.default_rng(0).standard_normal((2, 300_000)).astype("f4"))
    for kind, bounds in BOUNDS.items():
        step = compiled(lambda v, b, kind=kind: mean_and_slope(v, b, kind, 1))
        found = step(values, tf.constant(bounds, tf.float64))
        assert_same_bits(found, expected_of(values.numpy(), bounds, kind, 1))


def test_batches_of_any_size_and_conditions():
    @compiled(input_signature=[tf.TensorSpec((None, 4)), tf.TensorSpec((), tf.float64)])
    def step(values, low):
        def of_tail():
            return mean_and_slope(values, tf.stack([low, 1.0]), "between", 0)

        return tf.cond(low > 0, of_tail, lambda: (values[0], values))

    for n in (1, 7, 96):
        values = tf.constant(np.random.default_rng(n).standard_normal((n, 4)).astype("f4"))
        found = step(values, tf.constant(0.6, tf.float64))
        assert_same_bits(found, expected_of(values.numpy(), (0.6, 1.0), "between", 0))
        np.testing.assert_array_equal(step(values, tf.constant(0.0, tf.float64))[0], values[0])


def test_saved_model(tmp_path):
    class Module(tf.Module):
        @tf.function(
            jit_compile=True,
            input_signature=[tf.TensorSpec((None, 4)), tf.TensorSpec((2,), tf.float64)],
        )
        def step(self, values, bounds):
            return mean_and_slope(values, bounds, "between", 0)

    tf.saved_model.save(Module(), tmp_path)
    step = tf.saved_model.load(tmp_path).step
    values = tf.constant(np.random.default_rng(0).standard_normal((50, 4)).astype("f4"))
    for bounds in ((0.5, 1.0), (0.1, 0.7)):
        found = step(values, tf.constant(bounds, tf.float64))
        assert_same_bits(found, expected_of(values.numpy(), bounds, "between", 0))


@pytest.mark.parametrize(
    ("kind", "bounds", "message"),
    [
        ("between", (0.5, 0.5), r"lower=0\.5, upper=0\.5: must be 0 <= lower < upper <= 1"),
        ("between", (float("nan"), 1.0), r"lower=-?nan, upper=1: must be"),
        ("largest", (9.5, 0.0), r"k=9\.5: must be at most the number of valid values.* is 9"),
        ("at_least", (0.0, 0.5), r"min_kept=0\.5: .*min_kept at least 1"),
    ],
)
def test_wrong_bounds(kind, bounds, message):
    mean = compiled(lambda values, bounds: range_mean(values, bounds, kind, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="tailops_range_mean: .*" + message):
        mean(tf.zeros((2, 9)), tf.constant(bounds, tf.float64))


X = np.arange(6, dtype="float32")
ERRORS = [
    ({"axis": [1]}, r"axis=1: must be in \[-1, 1\)"),
    ({"axis": [0, 0]}, "axis has 2 entries: at most one is allowed"),
    ({"bounds": np.zeros(3)}, r"bounds of shape \(3,\) must have the shape \(2,\)"),
    ({"mask": X[:5] > 1}, r"mask of shape \(5,\) must have the shape \(6,\)"),
    ({"values": X[:0]}, r"shape \(0,\): there must be at least one"),
]


@pytest.mark.parametrize(("bad", "message"), ERRORS)
def test_errors_when_it_compiles(bad, message):
    good = {
        "values": X,
        "bounds": np.array([0.5, 1.0]),
        "mask": np.ones(len(bad.get("values", X)), bool),
    }
    attributes = {"axis": [], "kind": "between"}
    arguments = {name: bad.get(name, value) for name, value in good.items()}
    attributes = {name: bad.get(name, value) for name, value in attributes.items()}
    specs = [tf.TensorSpec(None, value.dtype) for value in arguments.values()]

    @compiled(input_signature=specs)
    def mean(values, bounds, mask):
        return library.tailops_range_mean(
            values=values, bounds=bounds, mask=[mask], weights=[], **attributes
        )[0]

    with pytest.raises(tf.errors.InvalidArgumentError, match="Tailops>RangeMean.*" + message):
        mean(*arguments.values())


def test_errors_of_the_gradient_when_it_compiles():
    state = tf.ones((1, _kernels.RANGE_COLUMNS), tf.float64)
    specs = [tf.TensorSpec(None), tf.TensorSpec(None), tf.TensorSpec(None, tf.float64)]

    @compiled(input_signature=specs)
    def gradient(upstream, values, state):
        return library.tailops_range_mean_grad(
            upstream=upstream, values=values, state=state, mask=[], axis=[]
        )

    gradient(tf.ones(()), X, state)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"upstream of shape \(6,\) must"):
        gradient(X, X, state)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"state of shape \(2, 5\) must"):
        gradient(tf.ones(()), X, tf.concat([state, state], 0))


def test_without_kernels_for_xla():
    run_python(
        """
        import warnings
        import numpy as np
        import tensorflow as tf
        from tailops._tensorflow.range_mean import range_mean, range_weights

        def step(values, bounds):
            with tf.GradientTape() as tape:
                tape.watch(values)
                mean = range_mean(values, bounds, "between", 1)
            weights = range_weights(values, bounds, "between", 1)
            return mean, tape.gradient(mean, values), weights

        values = tf.constant(np.random.default_rng(0).standard_normal((5, 30)))
        bounds = tf.constant([0.15, 0.9], tf.float64)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            f = tf.function(step, jit_compile=True)
            for found, expected in zip(f(values, bounds), step(values, bounds)):
                np.testing.assert_allclose(found, expected, rtol=1e-12)
            assert [w for w in caught if "no XLA support" in str(w.message)]
        hlo = f.experimental_get_compiler_ir(values, bounds)(stage="optimized_hlo")
        assert "tailops_range_mean" not in hlo
        """,
        TAILOPS_XLA="off",
    )
