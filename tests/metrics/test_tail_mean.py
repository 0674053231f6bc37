"""TailMean: the exact tail of few values, of many within its guarantee, in any order."""

import math

import keras
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from families import EXTREME_FAMILIES, FAMILIES, residuals
from processes import run_python
from quick import quick

from tailops.metrics import TailMean

PERCENTILES = (0.0, 0.001, 0.3, 0.5, 0.9, 0.95, 0.99, 0.9999)
SIZES = (1, 600, 0, 7, 5000, 2, 1024, 13_366)


def itself(y_true, y_pred):  # noqa: ARG001
    """A loss whose values are the predictions."""
    return y_pred


def masses(n, p, weights=None):
    """Of ascending values: what of each lies in [p·n, n], as the contract says."""
    weights = np.ones(n) if weights is None else weights
    reached = np.cumsum(weights)
    start = p * reached[-1]
    whole = np.round(start)
    start = whole if abs(start - whole) <= 4 * np.spacing(start) else start
    return np.clip(reached - start, 0, weights)


def exact(values, p, weights=None):
    """The mean of the tail, and that of its magnitudes, in float64."""
    order = np.argsort(values, kind="stable")
    values = np.asarray(values)[order].astype(np.float64)
    mass = masses(len(values), p, None if weights is None else weights[order].astype(np.float64))
    share, values = mass[mass > 0] / math.fsum(mass), values[mass > 0]
    with np.errstate(invalid="ignore"):
        return tuple(
            math.fsum(part) if np.isfinite(part).all() else part.sum()
            for part in (share * values, share * np.abs(values))
        )


def require_guarantee(result, values, p, r, dtype="float32", weights=None, slack=2.0):
    mean, magnitude = exact(values, p, weights)
    info = ml_dtypes.finfo(dtype)
    if not np.isfinite(mean):
        np.testing.assert_equal(float(result), mean)
        return
    rounding = slack * float(info.eps) * magnitude + float(info.tiny)
    assert -rounding <= mean - float(result) <= r * magnitude + rounding, (mean, float(result), p)


def update_in_batches(metric, values, weights=None, sizes=SIZES):
    ends = np.cumsum(sizes)
    assert ends[-1] >= len(values)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = values[start:end]
        metric.update_state(
            np.zeros_like(part), part, None if weights is None else weights[start:end]
        )


def test_the_definition():
    values = np.float32([4, 1, 3, 2])
    np.testing.assert_allclose(exact(values, 0.7)[0], (0.2 * 3 + 4) / 1.2)
    assert exact(values, 0.75)[0] == 4
    assert exact(values, 0)[0] == 2.5
    assert exact(np.float32([-np.inf, 1, 2]), 1 / 3)[0] == 1.5
    assert exact(values, 0.5, np.float32([0, 3, 1, 1]))[0] == (0.5 * 1 + 2 + 3) / 2.5


@pytest.mark.parametrize("name", [*FAMILIES, *EXTREME_FAMILIES])
@pytest.mark.parametrize("relative_error", quick(0.01, of=[0.002, 0.01, 0.5]))
@pytest.mark.parametrize("dtype", quick("float32", of=["float32", "float64"]))
@pytest.mark.parametrize("sign", [1, -1])
def test_guarantee(name, relative_error, dtype, sign):
    values = sign * residuals(name, sum(SIZES), dtype)
    metric = TailMean(itself, relative_error=relative_error, dtype=dtype)
    update_in_batches(metric, values)
    for p in PERCENTILES:
        metric.percentile = p
        require_guarantee(metric.result(), values, p, relative_error, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_guarantee_in_narrow_types(dtype):
    values = residuals("random", sum(SIZES), dtype)
    metric = TailMean(itself, dtype=dtype)
    update_in_batches(metric, values)
    for p in PERCENTILES:
        metric.percentile = p
        assert metric.result().dtype == dtype
        require_guarantee(metric.result(), values, p, 0.01, dtype)


@pytest.mark.parametrize("name", [*FAMILIES, *EXTREME_FAMILIES])
def test_few_values_are_exact(name):
    for n in (1, 10, 1024):
        values = residuals(name, n, "float32")
        metric = TailMean(itself)
        update_in_batches(metric, values)
        for p in PERCENTILES:
            metric.percentile = p
            require_guarantee(metric.result(), values, p, 0)


def test_exact_ends_at_its_size():
    values = np.linspace(1, 1.005, 11, dtype="float32")
    for size, is_exact in ((11, True), (10, False), (0, False)):
        metric = TailMean(itself, 0.9, exact_size=size)
        metric.update_state(values, values)
        close = np.isclose(float(metric.result()), exact(values, 0.9)[0], rtol=1e-6)
        assert close == is_exact
        require_guarantee(metric.result(), values, 0.9, 0.01)


@pytest.mark.parametrize("name", ["random", "heavy_tail", "tied_in_the_tail", "mixed_scales"])
def test_the_order_does_not_matter(name):
    values = np.sort(residuals(name, sum(SIZES), "float32"))
    half = len(values) // 2
    outside_in = np.empty_like(values)
    outside_in[0::2], outside_in[1::2] = values[: len(values) - half], values[half:][::-1][:half]
    orders = [values, values[::-1], np.roll(values, 500), outside_in]
    for p in (0.5, 0.99):
        results = []
        for order in orders:
            metric = TailMean(itself, p)
            update_in_batches(metric, order)
            require_guarantee(metric.result(), values, p, 0.01)
            results.append(float(metric.result()))
        np.testing.assert_allclose(results, results[0], rtol=1e-6)


@pytest.mark.parametrize("relative_error", [0.002, 0.01, 0.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_guarantee_is_reached_and_not_passed(relative_error, sign):
    """One bucket, (1/γ, 1] or [−1, −1/γ): nearly all at its lower end, the tail at its upper."""
    ends = np.float32([(1 + 0.03 * relative_error) / (1 + relative_error), 1])
    low, high = np.sort(sign * ends)
    values = np.where(np.arange(1000) < 10, high, low)
    metric = TailMean(itself, 0.99, relative_error=relative_error, exact_size=0)
    metric.update_state(values, values)
    lost = (high - float(metric.result())) / abs(high)
    most = relative_error / (1 + relative_error) if sign > 0 else relative_error
    assert 0.9 * most < lost < most


def test_few_values_in_few_buckets():
    """Random small problems, in which the bucket of the percentile is much of the tail."""
    rng = np.random.default_rng(0)
    for _ in range(150):
        n, r = rng.integers(1, 12), rng.choice([0.01, 0.1, 0.5])
        values = rng.choice([-1, 1]) * (1 + r) ** rng.uniform(-1.5, 1.5, n)
        values = np.float32(np.where(rng.random(n) < 0.1, 0, values))
        weights = rng.choice([0.1, 1, 2.5], n).astype("float32") if rng.random() < 0.5 else None
        metric = TailMean(itself, rng.uniform(0, 1), relative_error=r, exact_size=0)
        metric.update_state(values, values, weights)
        require_guarantee(metric.result(), values, metric.percentile, r, weights=weights)


def test_equal_values_and_the_mean_are_exact():
    constant = np.full(5000, -0.3, "float32")
    metric = TailMean(itself, 0.99)
    metric.update_state(constant, constant)
    assert metric.result() == constant[0]
    values = residuals("random", 5000, "float32") + 1
    metric = TailMean(itself, 0)
    metric.update_state(values, values)
    np.testing.assert_allclose(metric.result(), values.astype("float64").mean(), rtol=1e-6)


def test_the_largest_numbers_do_not_overflow():
    for dtype in ("float32", "float64"):
        values = np.full(3000, np.finfo(dtype).max, dtype)
        metric = TailMean(itself, 0.5, dtype=dtype)
        metric.update_state(values, values)
        assert metric.result() == values[0]


@pytest.mark.parametrize("n", [300, 5000])
def test_weights_are_repetitions(n):
    rng = np.random.default_rng(0)
    values = rng.standard_normal(n).astype("float32")
    weights = rng.choice([0, 0, 1, 3], n).astype("float32")
    values[np.flatnonzero(weights == 0)[:2]] = np.inf, -np.inf
    repeated = np.repeat(values, weights.astype(int))
    once, again = TailMean(itself), TailMean(itself, exact_size=0)
    update_in_batches(once, values, weights)
    update_in_batches(again, repeated)
    for p in PERCENTILES:
        once.percentile = again.percentile = p
        require_guarantee(once.result(), repeated, p, 0 if n == 300 else 0.01)
        if n > 300:
            np.testing.assert_allclose(once.result(), again.result(), rtol=1e-6)


@pytest.mark.parametrize("shape", [(40, 6, 5), (400, 6, 5)])
def test_masks_of_predictions_and_of_the_loss(shape):
    """`ignore_class` and a Keras mask at once, over pixels; a weight for each image."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 255], shape)
    logits = rng.standard_normal((*shape, 3)).astype("float32")
    kept = rng.random(shape) < 0.7
    weights = rng.choice([1.0, 2.0], shape[0]).astype("float32")
    predictions = tf.constant(logits)
    predictions._keras_mask = tf.constant(kept)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    metric = TailMean(loss, 0.9)
    metric.update_state(labels, predictions, weights)
    odds = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    there = kept & (labels != 255)
    entropy = -np.log(np.take_along_axis(odds, np.minimum(labels, 2)[..., None], -1)[..., 0])
    weights = np.broadcast_to(weights[:, None, None], shape)[there]
    r = 0 if there.sum() <= 1024 else 0.01
    require_guarantee(metric.result(), entropy[there], 0.9, r, weights=weights, slack=8)


@pytest.mark.parametrize("exact_size", [1024, 0])
def test_nan_reset_and_nothing(exact_size):
    metric = TailMean(itself, 0.5, exact_size=exact_size)
    assert metric.result() == 0
    for values in ([1.0, np.nan], [5.0, 6.0]):
        metric.update_state(values, values)
        assert np.isnan(metric.result())
    metric.reset_state()
    assert metric.result() == 0
    metric.update_state([0.0, 0.0], [2.0, 4.0])
    assert metric.result() == 4
    metric = TailMean(itself, 0.5, ignore_nan=True, exact_size=exact_size)
    metric.update_state([0.0], [np.nan])
    assert metric.result() == 0
    metric.update_state([0.0, 0.0, 0.0], [2.0, np.nan, 4.0])
    assert metric.result() == 4


@pytest.mark.parametrize("exact_size", [1024, 0])
def test_infinite_values(exact_size):
    for values, p, expected in (
        ([-np.inf, 1, 2, 3], 0.25, 2),
        ([-np.inf, 1, 2, 3], 0.2, -np.inf),
        ([-np.inf, 1, 2, np.inf], 0.25, np.inf),
        ([-np.inf, 1, 2, np.inf], 0, np.nan),
        ([-np.inf, -np.inf], 0.5, -np.inf),
        # 0.35·20 is 7.000000000000001 in floating point elsewhere: the contract's is 7.
        ([-np.inf] * 7 + [1.0] * 13, 0.35, 1),
    ):
        metric = TailMean(itself, p, exact_size=exact_size)
        metric.update_state(values, values)
        np.testing.assert_equal(float(metric.result()), expected)


@pytest.mark.parametrize("sizes", [(10, 20, 30), (900, 200), (3000, 10), (10, 3000)])
def test_merged_is_as_if_seen(sizes):
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal(n).astype("float32") for n in sizes]
    metrics = [TailMean(itself, 0.9) for _ in parts]
    one = TailMean(itself, 0.9)
    for metric, part in zip(metrics, parts, strict=True):
        metric.update_state(part, part)
        one.update_state(part, part)
    metrics[0].merge_state(metrics[1:])
    np.testing.assert_allclose(metrics[0].result(), one.result(), rtol=1e-7)
    for mine, others in zip(metrics[0].variables, one.variables, strict=True):
        np.testing.assert_allclose(mine, others, rtol=1e-12)
    with pytest.raises(ValueError, match=r"exact_size=7 of a metric to merge: must be 1024"):
        one.merge_state([TailMean(itself, exact_size=7)])


@pytest.mark.parametrize("exact_size", [1024, 16])
def test_two_replicas_are_one(exact_size):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        distributed = TailMean(itself, 0.9, exact_size=exact_size)
    alone = TailMean(itself, 0.9, exact_size=exact_size)

    @tf.function
    def update(values):
        strategy.run(distributed.update_state, (values, values))

    values = residuals("random", 900, "float32")
    for shares in np.split(values, [40, 400]):
        mine, others = np.split(shares, [len(shares) // 3])
        update(
            strategy.experimental_distribute_values_from_function(
                lambda context, both=(mine, others): both[context.replica_id_in_sync_group]
            )
        )
        alone.update_state(shares, shares)
    np.testing.assert_allclose(distributed.result(), alone.result(), rtol=1e-6)
    require_guarantee(distributed.result(), values, 0.9, 0 if exact_size == 1024 else 0.01)


def test_memory_is_fixed():
    metric = TailMean(itself)
    shapes = [tuple(v.shape) for v in metric.variables]
    values = residuals("heavy_tail", 100_000, "float32")
    metric.update_state(values, values)
    assert [tuple(v.shape) for v in metric.variables] == shapes
    assert sum(8 * np.prod(shape) for shape in shapes) < 0.61e6


HUBER = keras.losses.Huber
AS_COMPILE_TAKES_THEM = {
    "name of a function": "huber",
    "name of a class": "Huber",
    "class": HUBER,
    "function": keras.losses.huber,
    "instance": HUBER(),
    "with another reduction": HUBER(reduction="sum"),
    "configuration": keras.losses.serialize(HUBER()),
}


@pytest.mark.parametrize("how", AS_COMPILE_TAKES_THEM)
def test_losses_as_compile_takes_them(how, tmp_path):
    loss = AS_COMPILE_TAKES_THEM[how]
    y_true, y_pred = np.random.default_rng(0).standard_normal((2, 50, 3)).astype("float32")
    metric = TailMean(loss, 0.9)
    metric.update_state(y_true, y_pred)
    values = HUBER(reduction="none")(y_true, y_pred).numpy()
    require_guarantee(metric.result(), values, 0.9, 0)
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    again.update_state(y_true, y_pred)
    assert again.result() == metric.result()
    assert again.get_config() == metric.get_config()

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile("sgd", "mse", metrics=[TailMean(loss, 0.9)])
    before = model.evaluate(y_true, y_pred, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.evaluate(y_true, y_pred, verbose=0), before)


def test_a_loss_keeps_its_settings():
    labels, logits = np.int32([0, 1, 7]), np.float32([[0, 1], [0, 0], [5, 0]])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=7)
    again = TailMean.from_config(TailMean(loss, 0).get_config())
    again.update_state(labels, logits)
    np.testing.assert_allclose(again.result(), (np.log1p(np.e) + np.log(2)) / 2, rtol=1e-6)


def test_ranks_as_keras_makes_them_fit():
    """(B,) against (B, 1) is a pair for each sample, and no matrix; of functions, too."""
    labels, predictions = np.zeros(4, "float32"), np.float32([[1], [2], [3], [4]])
    for loss in ("mae", keras.losses.MeanAbsoluteError(), itself):
        metric = TailMean(loss, 0.5)
        metric.update_state(labels, predictions)
        assert metric.result() == 3.5


def test_the_own_dtype_of_a_loss():
    """Values beyond float16 in float32, and then in the metric's."""
    y_true, y_pred = np.zeros((2, 1)), np.float64([[1000], [1000]])
    for dtype, expected in (("float16", np.inf), ("float32", 1e6)):
        metric = TailMean(keras.losses.MeanSquaredError(dtype=dtype))
        metric.update_state(y_true, y_pred)
        assert metric.result().dtype == "float32"
        assert metric.result() == expected


ON_JAX = """
    import sys

    import keras
    import numpy as np
    from tailops.metrics import TailMean

    data = np.load(sys.argv[1])
    def itself(y_true, y_pred):
        return y_pred

    metric = TailMean(itself, 0.9)
    for name, values in data.items():
        metric.reset_state()
        for part in np.array_split(values, 7):
            metric.update_state(part, part)
        print(float(metric.result()))

    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 5, 4)).astype("float32")
    x[:, 4:] = 0
    labels = rng.choice([0, 1, 2, 255], (600, 5))
    inputs = keras.Input((5, 4))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Masking()(inputs)))
    model.set_weights([np.linspace(-1, 1, 12).reshape(4, 3), np.zeros(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    metrics = [TailMean(loss, 0.9, exact_size=n, name=str(n)) for n in (0, 4000)]
    model.compile("sgd", loss, metrics=metrics, jit_compile=True)
    np.save(sys.argv[2], loss.call(labels, model(x))[:, :4][labels[:, :4] != 255])
    values = model.evaluate(x, labels, batch_size=250, verbose=0, return_dict=True)
    print(values["0"], values["4000"])
    assert np.isfinite(model.fit(x, labels, batch_size=250, verbose=0).history["0"]).all()
"""


def test_on_jax(tmp_path):
    """Counts and sums are float32 there."""
    pytest.importorskip("jax")
    names = ("random", "constant", "tied_in_the_tail", "mixed_scales", "huge", "infinite")
    data = {name: residuals(name, 30_000, "float32") for name in names}
    np.savez(tmp_path / "data.npz", **data)
    paths = str(tmp_path / "data.npz"), str(tmp_path / "entropies.npy")
    results = np.array(run_python(ON_JAX, *paths, KERAS_BACKEND="jax").split(), float)
    for values, result in zip(data.values(), results[:-2], strict=True):
        require_guarantee(result, values, 0.9, 0.01, slack=100)
    entropies = np.load(tmp_path / "entropies.npy")
    assert 1024 < len(entropies) < 4000
    require_guarantee(results[-2], entropies, 0.9, 0.01, slack=100)
    require_guarantee(results[-1], entropies, 0.9, 0, slack=8)
