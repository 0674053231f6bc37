"""TailMean around Keras's losses, with their masks, over replicas, and with Keras on JAX."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from families import residuals
from processes import run_python
from tail_oracle import itself, require_guarantee

from tailops.metrics import TailMean

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


@pytest.mark.extended
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
