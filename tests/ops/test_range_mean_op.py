"""The range mean's ops, eager and in graphs: the kernels' bits, and what is said of bad input."""

import numpy as np
import pytest
import tensorflow as tf
from range_problems import BOUNDS, assert_same_bits, cases, expected_of, problem

from tailops import _kernels, kernels
from tailops._tensorflow.library import library
from tailops._tensorflow.range_mean import range_mean, range_weights

HOW = {"eager": None, "graph": {}}


def made(function, how):
    return function if how is None else tf.function(function, autograph=False, **how)


def mean_and_slope(values, bounds, kind, axis, mask):
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = range_mean(values, bounds, kind, axis, mask)
    upstream = tf.cast(tf.reshape(tf.range(tf.size(mean)) % 7 - 3, tf.shape(mean)), mean.dtype)
    return mean, tape.gradient(mean, values, upstream)


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize(("kind", "axis", "dtype", "masked"), cases(None, 0, 1, -1, -3))
def test_the_bits_of_the_kernels(kind, axis, dtype, masked, how):
    values, mask = problem(dtype, masked)
    bounds = BOUNDS[kind]

    def step(values, bounds):
        return mean_and_slope(values, bounds, kind, axis, mask)

    found = made(step, how)(tf.constant(values), tf.constant(bounds, tf.float64))
    assert_same_bits(found, expected_of(values, bounds, kind, axis, mask))


@pytest.mark.parametrize("kind", BOUNDS)
@pytest.mark.parametrize("axis", [None, 1])
def test_weights_are_the_gradient_and_constants(kind, axis):
    values, mask = map(tf.constant, problem(masked=True))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        mean = range_mean(values, BOUNDS[kind], kind, axis, mask)
        weights = range_weights(values, BOUNDS[kind], kind, axis, mask)
        product = tf.reduce_sum(weights * values)
    np.testing.assert_array_equal(weights, tape.gradient(mean, values))
    np.testing.assert_array_equal(weights, tape.gradient(product, values))
    assert tape.gradient(weights, values) is None
    groups = tf.reduce_sum(weights, axis)
    np.testing.assert_allclose(groups, tf.cast(tf.reduce_any(mask, axis), tf.float32), rtol=1e-5)


def test_bounds_are_data():
    """Other numbers are no other trace, and a variable is read at each step."""
    traces = []
    bounds = tf.Variable([0.5, 1.0], dtype=tf.float64)

    @tf.function
    def mean(values, given):
        traces.append(1)
        return range_mean(values, given, "between", None), range_mean(
            values, bounds, "between", None
        )

    values = np.random.default_rng(0).standard_normal(300)
    for low in (0.0, 0.1 + 0.2, 0.7):
        bounds.assign([low, 0.9])
        found = mean(tf.constant(values), tf.constant([low, 0.95], tf.float64))
        assert_same_bits(
            found, [kernels.range_mean(values, (low, high), "between") for high in (0.95, 0.9)]
        )
    assert len(traces) == 1


def test_no_gradient_by_the_bounds_nor_the_mask():
    bounds = tf.Variable([0.5, 1.0], dtype=tf.float64)
    with tf.GradientTape() as tape:
        mean = range_mean(tf.range(9.0), bounds, "between", None, tf.ones(9, tf.bool))
    assert tape.gradient(mean, bounds) is None


def test_no_second_derivative():
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            mean = range_mean(x * x, (0.5, 1.0), "between", None)
        slope = inner.gradient(mean, x)
    with pytest.raises((NotImplementedError, LookupError)):
        outer.gradient(slope, x)


def test_shapes_of_graphs():
    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 3, 5)),
            tf.TensorSpec(None),
            tf.TensorSpec((None, 3, 5), tf.bool),
        ]
    )
    def shapes(known, unknown, mask):
        found = [
            range_mean(known, (0.0, 1.0), "between", axis).shape for axis in (None, 0, 1, -1)
        ] + [range_mean(unknown, (0.0, 1.0), "between", axis).shape for axis in (None, 0)]
        found.append(range_mean(unknown, (0.0, 1.0), "between", 1, mask).shape)
        found.append(range_weights(known, (0.0, 1.0), "between", 1).shape)
        assert [None if s.rank is None else s.as_list() for s in found] == [
            [],
            [3, 5],
            [None, 5],
            [None, 3],
            [],
            None,
            [None, 5],
            [None, 3, 5],
        ]
        return known

    shapes(tf.zeros((2, 3, 5)), tf.zeros((2, 3, 5)), tf.ones((2, 3, 5), tf.bool))


def test_shapes_that_only_run_time_knows():
    specs = [tf.TensorSpec(None), tf.TensorSpec(None, tf.float64), tf.TensorSpec(None, tf.bool)]

    @tf.function(input_signature=specs)
    def mean(values, bounds, mask):
        return range_mean(values, bounds, "largest", 1, mask)

    values, mask = problem(masked=True)
    expected = kernels.range_mean(values, (2.0, 0.0), "largest", 1, mask)
    good = values, tf.constant([2.0, 0.0], tf.float64), mask
    assert_same_bits([mean(*good)], [expected])
    for place, bad, message in [
        (0, tf.zeros(3), r"axis=1: must be in \[-1, 1\)"),
        (0, tf.zeros((6, 0, 30)), r"shape \(6, 0, 30\): there must be at least one"),
        (1, tf.zeros(3, tf.float64), r"bounds of shape \(3,\) must have the shape \(2,\)"),
        (1, tf.zeros((), tf.float64), r"bounds of shape \(\) must have the shape \(2,\)"),
        (2, mask[:5], r"mask of shape \(5, 7, 30\) must have the shape \(6, 7, 30\)"),
    ]:
        arguments = [bad if i == place else argument for i, argument in enumerate(good)]
        with pytest.raises(tf.errors.InvalidArgumentError, match="RangeMean.*" + message):
            mean(*arguments)


NAN, INF = float("nan"), float("inf")
WRONG_BOUNDS = [
    ("between", (0.5, 0.5), r"lower=0\.5, upper=0\.5: must be 0 <= lower < upper <= 1"),
    ("between", (-0.1, 0.5), r"lower=-0\.1\d*, upper=0\.5: must be 0 <="),
    ("between", (0.5, 1.5), r"upper=1\.5: must be 0 <="),
    ("between", (NAN, 1.0), r"lower=-?nan, upper=1: must be 0 <="),
    ("largest", (0.0, 0.0), r"k=0: must be above 0, and finite"),
    ("largest", (INF, 0.0), r"k=inf: must be above 0, and finite"),
    ("largest", (9.5, 0.0), r"k=9\.5: must be at most the number of valid values.* is 9"),
    ("at_least", (NAN, 1.0), r"threshold=-?nan, min_kept=1: the threshold must be a number"),
    ("at_least", (0.0, 0.5), r"min_kept=0\.5: .*min_kept at least 1"),
]


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
@pytest.mark.parametrize(("kind", "bounds", "message"), WRONG_BOUNDS)
def test_wrong_bounds(kind, bounds, message, how):
    mean = made(lambda values, bounds: range_mean(values, bounds, kind, 1), how)
    with pytest.raises(tf.errors.InvalidArgumentError, match="RangeMean.*" + message):
        mean(tf.zeros((2, 9)), tf.constant(bounds, tf.float64))


def test_more_than_are_valid():
    mask = tf.constant([[True, True, False], [True, False, False]])
    bounds = tf.constant([2.0, 0.0], tf.float64)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"k=2: must be .* one group is 1"):
        range_mean(tf.zeros((2, 3)), bounds, "largest", 1, mask)


def test_the_ops_check_their_attributes_and_inputs():
    x = tf.range(6.0)
    good = {"values": x, "bounds": (0.5, 1.0), "mask": [], "weights": []}
    good |= {"kind": "between", "axis": []}
    mean, state = library.tailops_range_mean(**good)
    assert mean == 4.0
    for bad, message in [
        ({"kind": "median"}, r"median.*not in the list of allowed values: .*between.*largest"),
        ({"axis": [0, 0]}, "axis has 2 entries: at most one is allowed"),
        ({"axis": [1]}, r"axis=1: must be in \[-1, 1\)"),
        ({"mask": [x > 1, x > 2]}, "mask is given 2 times: at most one is allowed"),
        ({"mask": [x[:5] > 1]}, r"mask of shape \(5,\) must have the shape \(6,\)"),
        ({"weights": [x, x]}, "weights is given 2 times: at most one is allowed"),
        ({"weights": [x[:5]]}, r"weights of shape \(5,\) must have the shape \(6,\)"),
        ({"weights": [-x]}, "weights: must be finite and at least 0, and one is -"),
        ({"weights": [x], "mask": [x > 1]}, "a mask with weights"),
        ({"weights": [x], "kind": "largest"}, "kind=.largest. with weights: must be .between."),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_range_mean(**{**good, **bad})
    good = {"upstream": tf.ones(()), "values": x, "state": state, "mask": [], "axis": []}
    assert tf.reduce_sum(library.tailops_range_mean_grad(**good)) == 1
    wide = tf.ones((2, _kernels.RANGE_COLUMNS), tf.float64)
    for bad, message in [
        ({"upstream": x}, r"upstream of shape \(6,\) must have the shape \(\)"),
        ({"state": wide}, r"state of shape \(2, 5\) must have the shape \(1, 5\)"),
        ({"state": state[0]}, r"state of shape \(5,\) must have the shape \(1, 5\)"),
        ({"mask": [x[:5] > 1]}, r"mask of shape \(5,\) must have the shape \(6,\)"),
        ({"axis": [0, 0]}, "axis has 2 entries"),
    ]:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            library.tailops_range_mean_grad(**{**good, **bad})


def test_no_groups_and_no_elements():
    assert range_mean(tf.zeros((0, 5)), (0.5, 1.0), "between", 1).shape == (0,)
    assert range_weights(tf.zeros((0, 5)), (0.5, 1.0), "between", 1).shape == (0, 5)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"shape \(0,\): there must be at"):
        range_mean(tf.zeros(0), (0.5, 1.0), "between", None)


def test_the_gradient_may_take_the_values_place():
    """In a graph, where nobody else needs them: the same bits, and no input of others changes."""

    @tf.function
    def step(x):
        return mean_and_slope(x * 1.0, (0.25, 1.0), "between", 1, None)

    x = tf.Variable(np.random.default_rng(0).standard_normal((40, 500)).astype("float32"))
    before = x.numpy().copy()
    found = step(x)
    np.testing.assert_array_equal(x, before)
    assert_same_bits(found, expected_of(before, (0.25, 1.0), "between", 1))


def test_in_loops_and_conditions():
    values, _ = problem(np.float64)

    @tf.function
    def total(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            sum_ = tf.constant(0.0, tf.float64)
            for i in tf.range(1, 4):
                bounds = tf.stack([1.0 - 1.0 / tf.cast(i + 1, tf.float64), 1.0])
                if values[0, 0, 0] > 100.0:
                    sum_ += 1.0
                else:
                    sum_ += tf.reduce_sum(range_mean(values, bounds, "between", 0))
        return sum_, tape.gradient(sum_, values)

    found, slope = total(tf.constant(values))
    expected, slopes = 0.0, 0.0
    for i in range(1, 4):
        bounds = (1 - 1 / (i + 1), 1.0)
        mean, state = kernels.range_mean_forward(values, bounds, "between", 0)
        expected += mean.sum()
        slopes += kernels.range_mean_gradient(np.ones_like(mean), values, state, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(slope, slopes, rtol=1e-12, atol=1e-15)


def test_saved_model(tmp_path):
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.bounds = tf.Variable([0.5, 1.0], dtype=tf.float64)

        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def step(self, values):
            return mean_and_slope(values, self.bounds, "between", 0, values > -1.0)

    tf.saved_model.save(Module(), tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    values = np.random.default_rng(0).standard_normal((50, 4)).astype("float32")
    for bounds in ((0.5, 1.0), (0.1, 0.7)):
        loaded.bounds.assign(bounds)
        expected = expected_of(values, bounds, "between", 0, values > -1)
        assert_same_bits(loaded.step(values), expected)
