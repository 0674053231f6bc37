"""All metrics: in models, under XLA, over replicas, saved and loaded, and given bad input."""

import contextlib
import inspect
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import run_python
from quick import quick

from tailops import metrics
from tailops.metrics import (
    ErrorPercentile,
    MaskedCategoricalAccuracy,
    MaskedCosineSimilarity,
    MaskedMeanAbsoluteError,
    MaskedMeanSquaredError,
    MaskedSparseCategoricalCrossentropy,
    TailMean,
)

REGRESSION = [MaskedMeanSquaredError, MaskedMeanAbsoluteError, ErrorPercentile]
CLASSIFICATION = [MaskedCategoricalAccuracy, MaskedSparseCategoricalCrossentropy]
ALL = [*REGRESSION, *CLASSIFICATION, MaskedCosineSimilarity, TailMean]
NON_DEFAULT = {
    "loss": keras.losses.serialize(keras.losses.mean_squared_error),
    "ignore_value": 3.0,
    "ignore_nan": True,
    "ignore_values": [1, 2, 4],
    "from_logits": True,
    "axis": 0,
    "percentile": 0.5,
    "relative_error": 0.02,
    "exact_size": 7,
    "name": "mine",
    "dtype": "float64",
}


def batches(cls, sizes=(8, 8, 8)):
    rng = np.random.default_rng(0)
    for n in sizes:
        if cls in CLASSIFICATION:
            yield rng.integers(0, 6, n), rng.dirichlet(np.ones(6), n).astype("float32")
        else:
            y_true, y_pred = rng.standard_normal((2, n, 3)).astype("float32")
            y_true[rng.random(y_true.shape) < 0.3] = np.nan if cls is MaskedCosineSimilarity else -1
            yield y_true, y_pred


@pytest.mark.parametrize("cls", ALL)
def test_config_is_complete(cls):
    arguments = list(inspect.signature(cls).parameters)
    chosen = {name: NON_DEFAULT[name] for name in arguments}
    metric = cls(**chosen)
    assert metric.get_config() == chosen
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(again) is cls
    assert again.get_config() == chosen
    assert keras.saving.get_registered_name(cls) == f"tailops>{cls.__name__}"
    assert cls().name == keras.src.utils.naming.to_snake_case(cls.__name__)
    assert metrics.__all__ == sorted(metrics.__all__)


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("jit_compile", quick(True, of=[False, True]))
def test_compiled(cls, jit_compile):
    eager, compiled = cls(), cls()
    update = tf.function(lambda *data: compiled.update_state(*data), jit_compile=jit_compile)
    result = tf.function(lambda: compiled.result(), jit_compile=jit_compile)
    weights = np.linspace(0.5, 2, 8, dtype="float32")
    for y_true, y_pred in batches(cls):
        eager.update_state(y_true, y_pred, weights)
        update(y_true, y_pred, weights)
        np.testing.assert_allclose(result(), eager.result(), rtol=1e-6)
    assert float(eager.result()) > 0


@pytest.mark.parametrize("cls", ALL)
def test_unknown_batch_size(cls):
    eager, traced = cls(), cls()
    y_true, y_pred = next(batches(cls))
    update = tf.function(
        lambda *data: traced.update_state(*data),
        input_signature=[tf.TensorSpec((None, *y.shape[1:]), y.dtype) for y in (y_true, y_pred)],
    )
    for y_true, y_pred in batches(cls, (8, 3, 1)):
        eager.update_state(y_true, y_pred)
        update(y_true, y_pred)
    np.testing.assert_allclose(traced.result(), eager.result(), rtol=1e-6)


@pytest.mark.parametrize("cls", ALL)
def test_two_replicas(cls):
    """Each replica counts its share; read together they are one metric of everything."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        distributed = cls()
    alone = cls()

    @tf.function
    def update(y_true, y_pred):
        strategy.run(distributed.update_state, (y_true, y_pred))

    for (a_true, a_pred), (b_true, b_pred) in zip(
        batches(cls, (9, 5)), batches(cls, (4, 4)), strict=True
    ):
        shares = [
            strategy.experimental_distribute_values_from_function(
                lambda context, values=values: values[context.replica_id_in_sync_group]
            )
            for values in ((a_true, b_true), (a_pred, b_pred))
        ]
        update(*shares)
        alone.update_state(a_true, a_pred)
        alone.update_state(b_true, b_pred)
        np.testing.assert_allclose(distributed.result(), alone.result(), rtol=1e-6)
    distributed.reset_state()
    assert distributed.result() == 0


def small_model(cls):
    """With the data that suit the metric."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4)).astype("float32")
    if cls in CLASSIFICATION:
        layer, loss = keras.layers.Dense(6, "softmax"), "sparse_categorical_crossentropy"
        y = rng.integers(0, 6, 64)
    else:
        layer, loss = keras.layers.Dense(1), "mae"
        y = np.where(rng.random((64, 1)) < 0.3, -1, x[:, :1])
    return keras.Sequential([keras.Input((4,)), layer]), loss, x, y


@pytest.mark.parametrize("cls", ALL)
@pytest.mark.parametrize("how", quick("graph", of=["graph", "jit", "eager", "replicas"]))
def test_fit(cls, how):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]) if how == "replicas" else None
    with strategy.scope() if strategy else contextlib.nullcontext():
        m, loss, x, y = small_model(cls)
        m.compile(
            "sgd",
            loss,
            metrics=[cls()],
            weighted_metrics=[cls(name="weighted")],
            jit_compile=how == "jit",
            run_eagerly=how == "eager",
        )
    w = np.linspace(0, 1, 64, dtype="float32")
    # Batches of 24: the last one is smaller. Over replicas only evaluated: TensorFlow's collectives
    # of two strategies in one process get in each other's way where models differ.
    if not strategy:
        m.fit(x, y, sample_weight=w, batch_size=24, epochs=2, verbose=0)
        assert np.isfinite(m.history.history["weighted"]).all()
    evaluated = m.evaluate(x, y, sample_weight=w, batch_size=24, verbose=0, return_dict=True)
    predictions = m.predict(x, verbose=0)
    for name, weights in ((cls().name, None), ("weighted", w)):
        alone = cls()
        alone.update_state(y, predictions, weights)
        np.testing.assert_allclose(evaluated[name], alone.result(), rtol=1e-5)


def test_saved_and_loaded(tmp_path):
    m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    m.compile("sgd", "mse", metrics=[MaskedMeanSquaredError(ignore_nan=True), ErrorPercentile(0.9)])
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    before = m.evaluate(x, y, verbose=0)
    m.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.evaluate(x, y, verbose=0), before)


BAD_ARGUMENTS = [
    (MaskedMeanSquaredError, {"ignore_value": "-1"}, TypeError, "ignore_value='-1': must be a num"),
    (MaskedMeanSquaredError, {"ignore_value": np.nan}, ValueError, "ignore_value=nan.*ignore_nan"),
    (MaskedMeanSquaredError, {"ignore_nan": 1}, TypeError, "ignore_nan=1: must be a bool"),
    (MaskedCategoricalAccuracy, {"ignore_values": 3}, TypeError, "ignore_values=3: must be a seq"),
    (MaskedCategoricalAccuracy, {"ignore_values": "05"}, TypeError, "ignore_values='05': must be"),
    (MaskedCategoricalAccuracy, {"ignore_values": [0.5]}, ValueError, r"=\[0\.5\]: labels are int"),
    (MaskedSparseCategoricalCrossentropy, {"from_logits": 0}, TypeError, "from_logits=0: must be"),
    (MaskedCosineSimilarity, {"axis": 1.5}, TypeError, r"axis=1\.5: must be an integer"),
    (ErrorPercentile, {"percentile": 0}, ValueError, r"percentile=0: must be in \(0, 1\]"),
    (ErrorPercentile, {"percentile": 99}, ValueError, r"percentile=99: must be in \(0, 1\]"),
    (ErrorPercentile, {"percentile": np.nan}, ValueError, r"percentile=nan: must be in \(0, 1\]"),
    (ErrorPercentile, {"percentile": "p99"}, TypeError, "percentile='p99': must be a number"),
    (ErrorPercentile, {"relative_error": 0}, ValueError, r"relative_error=0: .*\[0\.001, 0\.5\]"),
    (ErrorPercentile, {"exact_size": -1}, ValueError, "exact_size=-1: must be 0 or more"),
    (ErrorPercentile, {"exact_size": 1.0}, TypeError, r"exact_size=1\.0: must be an integer"),
    (TailMean, {"loss": None}, TypeError, "loss=None: must be a loss of Keras"),
    (TailMean, {"loss": 3}, ValueError, "loss=3: must be a loss of Keras, its name"),
    (TailMean, {"loss": "mea"}, ValueError, "loss='mea': must be a loss of Keras, its name"),
    (TailMean, {"percentile": 1}, ValueError, r"percentile=1: must be in \[0, 1\)"),
    (TailMean, {"percentile": -0.1}, ValueError, r"percentile=-0\.1: must be in \[0, 1\)"),
    (TailMean, {"ignore_nan": None}, TypeError, "ignore_nan=None: must be a bool"),
    (TailMean, {"relative_error": 0.001}, ValueError, r"=0\.001: must be in \[0\.002, 0\.5\]"),
    (TailMean, {"exact_size": True}, TypeError, "exact_size=True: must be an integer"),
]


@pytest.mark.parametrize(("cls", "arguments", "error", "message"), BAD_ARGUMENTS)
def test_bad_arguments(cls, arguments, error, message):
    with pytest.raises(error, match=message):
        cls(**arguments)


INT8, SCORES = np.zeros(3, "int8"), np.ones((3, 4), "float32")
BAD_INPUT = [
    (partial(MaskedMeanSquaredError, 0.5), (INT8, SCORES[:, 0]), ValueError,
     r"ignore_value=0\.5: cannot occur in y_true of dtype int8; .*integer in \[-128, 127\]"),
    (partial(MaskedMeanSquaredError, 300), (INT8, SCORES[:, 0]), ValueError, "=300"),
    (MaskedMeanSquaredError, (np.uint8([1]), [1.0]), ValueError, r"ignore_value=-1\.0: .*uint8"),
    (partial(MaskedMeanSquaredError, 1e5), (np.float16([1]), [1.0]), ValueError, "float16"),
    (MaskedMeanSquaredError, ([1.0, 2.0], [1.0]), ValueError, "nothing is broadcast"),
    (MaskedMeanSquaredError, ([1.0], [1]), TypeError, "y_pred of dtype int32"),
    (MaskedMeanSquaredError, (["a"], [1.0]), TypeError, "y_true of dtype string"),
    (MaskedMeanSquaredError, ([[1.0, 2.0]], [[1.0, 2.0]], [1.0, 2.0, 3.0]), ValueError,
     r"sample_weight of shape \(3,\): must broadcast along the leading axes of \(1, 2\)"),
    (ErrorPercentile, ([1.0, 2.0], [1.0, 2.0], [[1.0, 2.0]]), ValueError, "sample_weight of sh"),
    (partial(ErrorPercentile, ignore_value=0.5), (INT8, SCORES[:, 0]), ValueError, "cannot occur"),
    (partial(MaskedCategoricalAccuracy, (300,)), (INT8, SCORES), ValueError, "=300: cannot"),
    (MaskedCategoricalAccuracy, ([1.0, 2.0, 2.5], SCORES), ValueError, "the label 2.5: must be an"),
    (MaskedCategoricalAccuracy, ([1.0, 2.0, np.nan], SCORES), ValueError, "the label nan: must be"),
    (MaskedCategoricalAccuracy, ([True, True, True], SCORES), TypeError, "y_true of dtype bool"),
    (MaskedCategoricalAccuracy, ([1, 2], SCORES), ValueError,
     r"y_true of shape \(2,\) and y_pred of shape \(3, 4\): labels \(B, …\) need scores"),
    (MaskedCategoricalAccuracy, (np.ones((3, 4), int), SCORES), ValueError, "need scores"),
    (MaskedCategoricalAccuracy, ([1], np.ones((1, 0), "float32")), ValueError, "need scores"),
    (MaskedCategoricalAccuracy, ([1, 1, 4], SCORES), ValueError,
     r"y_true has the label 4: must be an integer in \[0, 4\)"),
    (MaskedSparseCategoricalCrossentropy, ([1, -1, 3], SCORES), ValueError, "the label -1"),
    (partial(MaskedCosineSimilarity, 2), (SCORES, SCORES), ValueError, r"axis=2: .*\[-2, 2\)"),
    (MaskedCosineSimilarity, (1.0, 1.0), ValueError, r"axis=-1: .*0 dimension"),
    (MaskedCosineSimilarity, (SCORES.astype(np.longdouble), SCORES), TypeError,
     "y_true of dtype (float128|longdouble): must be real"),
    (MaskedSparseCategoricalCrossentropy, (INT8, SCORES.astype(object)), TypeError,
     "y_pred of dtype object: must be real"),
    (TailMean, (SCORES, SCORES.astype(object)), TypeError, "y_pred of dtype object: must be real"),
    (TailMean, (SCORES, SCORES, [1.0, 2.0]), ValueError, r"sample_weight of shape \(2,\)"),
    (partial(TailMean, "dice"), (SCORES, SCORES), ValueError,
     r"loss=dice: returned a scalar for y_pred of shape \(3, 4\)"),
    (partial(TailMean, keras.losses.Dice), (SCORES, SCORES), ValueError, "returned a scalar for"),
    (partial(TailMean, lambda y_true, y_pred: keras.ops.argmax(y_true + y_pred, -1)),
     (SCORES, SCORES), TypeError, "values are of dtype int(32|64); must be"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "data", "error", "message"), BAD_INPUT)
def test_bad_input(make, data, error, message):
    metric = make()
    with pytest.raises(error, match=message):
        metric.update_state(*data)


def test_what_is_not_dense():
    bad = tf.ragged.constant([[1.0, 2.0], [3.0]]), tf.sparse.from_dense(SCORES)
    for make in (MaskedMeanSquaredError, ErrorPercentile, TailMean, MaskedCategoricalAccuracy):
        for values, kind in zip(bad, ("RaggedTensor", "SparseTensor"), strict=True):
            with pytest.raises(TypeError, match=f"^y_true is a {kind}: must be dense"):
                make().update_state(values, SCORES)
            with pytest.raises(TypeError, match=f"^y_pred is a {kind}: must be dense"):
                make().update_state(INT8, values)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_labels_where_nobody_can_look(jit_compile):
    """As the classes say: wrong for the accuracy, NaN for the cross-entropy."""
    scores = np.float32([[0.1, 0.9], [0.1, 0.9], [0.1, 0.9]])
    for label in (2, -1, 2**31 - 1):
        for metric, expected in (
            (MaskedCategoricalAccuracy(()), 2 / 3),
            (MaskedSparseCategoricalCrossentropy(()), np.nan),
            (MaskedCategoricalAccuracy((label,)), 1),
            (MaskedSparseCategoricalCrossentropy((label,)), -np.log(0.9)),
        ):
            update = tf.function(metric.update_state, jit_compile=jit_compile)
            update(tf.constant([1, 1, label]), scores)
            np.testing.assert_allclose(metric.result(), expected, rtol=1e-5)


ON_JAX = """
    import keras
    import numpy as np
    from tailops.metrics import *

    rng = np.random.default_rng(0)
    x = rng.standard_normal((96, 4)).astype("float32")
    y = x[:, :1] + 0.1 * rng.standard_normal((96, 1)).astype("float32")
    y[::3] = -1
    labels = rng.integers(0, 6, 96)

    def evaluated(outputs, y, loss, metrics):
        m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(outputs)])
        m.set_weights([np.linspace(-1, 1, 4 * outputs).reshape(4, outputs), np.zeros(outputs)])
        m.compile("sgd", loss, metrics=metrics)
        values = m.evaluate(x, y, batch_size=40, verbose=0, return_dict=True)
        print(*(float(values[metric.name]) for metric in metrics))
        return m

    m = evaluated(1, y, "mse", [
        MaskedMeanSquaredError(), MaskedMeanAbsoluteError(), ErrorPercentile(0.9),
        ErrorPercentile(0.5, exact_size=10, ignore_value=-1, name="p50"), MaskedCosineSimilarity(),
        TailMean("mse", 0.9), TailMean(percentile=0.9, exact_size=10, name="of buckets"),
    ])
    m.fit(x, y, verbose=0)
    evaluated(6, labels, keras.losses.SparseCategoricalCrossentropy(True), [
        MaskedCategoricalAccuracy((0, 1, 3)), MaskedSparseCategoricalCrossentropy((0,), True)
    ])
"""


@pytest.mark.extended
def test_on_jax_as_on_tensorflow():
    pytest.importorskip("jax")
    printed = (run_python(ON_JAX, KERAS_BACKEND=name) for name in ("jax", "tensorflow"))
    on_jax, on_tensorflow = (np.array(lines.split(), float) for lines in printed)
    assert on_jax.shape == (9,)
    np.testing.assert_allclose(on_jax, on_tensorflow, rtol=1e-5)
