"""Range means of shares are those of all of them on one device."""

import itertools

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from replicas import Replicas
from shares import MASKS, RESIDUALS, SPLITS, assert_close, assert_same, batch, split

from tailops._tensorflow import range_mean as local
from tailops._tensorflow import union
from tailops._tensorflow.library import library

TOLERANCE = {np.float16: 1e-3, ml_dtypes.bfloat16: 1e-2, np.float32: 1e-6, np.float64: 1e-14}
# For "largest", of a batch of which a column may have 36 valid values, or 5.
BOUNDS = {
    "between": [(0.13, 0.91), (0.0, 1.0), (0.0, 0.4), (0.7, 1.0), (0.25, 0.250001)],
    "largest": [(2.5, 0.0), (1.0, 0.0)],
    "at_least": [(0.3, 4.0), (5.0, 7.0), (-np.inf, 1.0), (np.inf, 1000.0), (0.75, 2.0)],
}
CASES = [(kind, bounds) for kind, several in BOUNDS.items() for bounds in several]


def upstream_of(mean):
    # By NumPy: of TensorFlow's, several threads got each other's constants on the virtual GPU.
    numbers = np.arange(np.prod(mean.shape, dtype=int)).reshape(mean.shape)
    return tf.constant(numbers % 5 - 1.5, mean.dtype)


def differentiated(mean_of, values):
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        mean = mean_of(values)
    return mean.numpy(), tape.gradient(mean, values, upstream_of(mean)).numpy()


def on_replicas(values, mask, bounds, kind, axis, cuts):
    def step(share, kept, all_reduce):
        mean, slope = differentiated(
            lambda v: union.range_mean(v, bounds, kind, axis, kept, all_reduce=all_reduce), share
        )
        weights = union.range_weights(share, bounds, kind, axis, kept, all_reduce=all_reduce)
        return mean, slope, weights.numpy()

    shares = split((values, mask), cuts)
    return Replicas(len(shares)).run(step, shares)


def check(values, mask, bounds, kind, axis, cuts):
    mean, slope = differentiated(lambda v: local.range_mean(v, bounds, kind, axis, mask), values)
    weights = local.range_weights(values, bounds, kind, axis, mask).numpy()
    found = on_replicas(values, mask, bounds, kind, axis, cuts)
    tolerance = TOLERANCE[values.dtype.type]
    for of_replica, *_ in found:
        assert_close(of_replica, mean, tolerance)
        assert_same(of_replica, found[0][0])
    slopes, shares_weights = (np.concatenate([one[i] for one in found]) for i in (1, 2))
    # As many replicas return the mean: what arrives at it is added up.
    assert_close(slopes, slope * values.dtype.type(len(found)), 2 * tolerance)
    assert_same(shares_weights, weights)


@pytest.mark.parametrize(("kind", "bounds"), CASES)
@pytest.mark.parametrize("axis", [None, 0])
def test_any_range(kind, bounds, axis):
    for residuals, cuts in (("random", "empty"), ("few_valued", "unequal")):
        values = batch(residuals, "none", np.float32)[1]
        check(values, None, bounds, kind, axis, SPLITS[cuts])


@pytest.mark.parametrize("residuals", RESIDUALS)
@pytest.mark.parametrize("kind", BOUNDS)
def test_any_data(residuals, kind):
    for axis, dtype in itertools.product((None, 0), (np.float32, np.float64)):
        values = batch(residuals, "none", dtype)[1]
        check(values, None, BOUNDS[kind][0], kind, axis, SPLITS["unequal"])


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("kind", BOUNDS)
def test_any_mask(mask, kind):
    dtypes = itertools.cycle(TOLERANCE)
    for residuals, axis in itertools.product(("random", "nan_on_one"), (None, 0)):
        values, kept = batch(residuals, mask, next(dtypes))[1:]
        check(values, kept, BOUNDS[kind][0], kind, axis, SPLITS["empty"])


@pytest.mark.extended
@pytest.mark.parametrize("residuals", RESIDUALS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("cuts", SPLITS)
def test_all_together(residuals, mask, cuts):
    """Each range but some; all else takes turns, and not the same turns in every case."""
    rng = np.random.default_rng(sum(map(ord, residuals + mask + cuts)))
    dtypes = [*TOLERANCE, np.float32]
    for number in rng.permutation(len(CASES))[:6]:
        kind, bounds = CASES[number]
        dtype = dtypes[rng.integers(len(dtypes))]
        values, kept = batch(residuals, mask, dtype, seed=number)[1:]
        check(values, kept, bounds, kind, rng.choice([None, 0]), SPLITS[cuts])


def test_the_state_is_that_of_one_device():
    """Also its bits, so that a replica's weights are."""
    for kind, bounds in CASES:
        values = batch("few_valued", "none", np.float32)[1]
        _, expected = library.tailops_range_mean(
            values=values, bounds=bounds, kind=kind, axis=[0], mask=[], weights=[]
        )

        def step(share, all_reduce, kind=kind, bounds=bounds):
            steps = union._RangeSteps(
                tf.constant(share), tf.constant(bounds, tf.float64), kind, 0, None
            )
            return union._synchronized.range_forward(steps, all_reduce)[1].numpy()

        for state in Replicas(3).run(step, split([values], [11, 40])):
            np.testing.assert_array_equal(state, expected.numpy())


@pytest.mark.parametrize(
    ("kind", "bounds", "message"),
    [
        ("between", (0.5, 0.2), "must be 0 <= lower < upper <= 1"),
        ("largest", (21.0, 0.0), r"k=21: must be at most .* of one group is 20"),
        ("at_least", (np.nan, 1.0), "the threshold must be a number"),
    ],
)
def test_no_such_range_in_the_union(kind, bounds, message):
    """All replicas fail alike, behind the same collective; k = 20 is enough for the union.

    How many elements there are a GPU would have to be waited for: there the mean is NaN.
    """

    def step(share, all_reduce):
        return union.range_mean(share, bounds, kind, None, all_reduce=all_reduce)

    values = np.arange(20, dtype=np.float32)
    replicas = Replicas(2)
    if kind == "largest" and tf.config.list_physical_devices("GPU"):
        np.testing.assert_array_equal(replicas.run(step, split([values], [5])), np.nan)
    else:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            replicas.run(step, split([values], [5]))
        assert len(replicas.collectives()) == 1
    if kind == "largest":
        bounds = (20.0, 0.0)
        assert [float(x) for x in replicas.run(step, split([values], [5]))] == [9.5, 9.5]


def test_collectives_do_not_depend_on_the_data():
    def step(share, all_reduce):
        return differentiated(
            lambda v: union.range_mean(v, (0.9, 1.0), "between", None, all_reduce=all_reduce), share
        )

    found = []
    for rows in (1, 5000):
        replicas = Replicas(2)
        replicas.run(step, split([np.ones(rows, np.float32)], [rows // 3]))
        found.append(replicas.collectives())
    assert found[0] == found[1]
    assert [dtype for dtype, _ in found[0]] == ["int64"] * 3 + ["float64"] * 2
