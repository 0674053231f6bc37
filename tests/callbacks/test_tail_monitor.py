"""TailMonitor in real trainings: what it logs, who sees it, and the picture."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import run_python

from tailops.callbacks import TailMonitor, TailSchedule
from tailops.layers import ErrorWindow
from tailops.losses import AverageTopKLoss, CVaRLoss, PercentileLoss, TailWeightedLoss

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
KEYS = {f"val_error_{name}" for name in PERCENTILES}


def data(n=200, outputs=1):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 4)).astype("float32")
    y = x[:, :outputs] + 0.1 * rng.standard_t(2, (n, outputs)).astype("float32")
    return x, y


def model(loss="mae", outputs=1):
    keras.utils.set_random_seed(0)
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(outputs)])
    m.compile(keras.optimizers.Adam(0.05), loss)
    return m


def fit(m, callbacks, epochs=3, **arguments):
    x, y = data(outputs=m.output_shape[-1])
    return m.fit(x, y, epochs=epochs, verbose=0, callbacks=callbacks, **arguments).history


@pytest.mark.parametrize("outputs", [1, 3])
def test_last_epoch_is_numpys_quantiles(outputs):
    x, y = data(500, outputs)
    m = model(PercentileLoss(0.9, axis=0, method="linear"), outputs)
    history = fit(m, [TailMonitor((x, y), batch_size=64)])
    errors = np.abs(m.predict(x, verbose=0) - y)
    for name, p in PERCENTILES.items():
        values = history[f"val_error_{name}"]
        assert len(values) == 3
        np.testing.assert_allclose(values[-1], np.quantile(errors, p), rtol=1e-5)
    thresholds = np.quantile(errors, 0.9, axis=0)
    np.testing.assert_allclose(history["val_threshold"][-1], thresholds.mean(), rtol=1e-5)
    assert history["val_error_p99"][-1] < history["val_error_p99"][0]


def test_threshold_is_in_the_losss_own_unit():
    x, y = data()
    m = model(PercentileLoss(0.9, error="squared"))
    history = fit(m, [TailMonitor((x, y))])
    squares = np.sort(np.square(m.predict(x, verbose=0) - y), axis=None)
    np.testing.assert_allclose(history["val_threshold"][-1], squares[180], rtol=1e-5)


def test_no_threshold_with_other_losses():
    history = fit(model("mse"), [TailMonitor(data())])
    assert {key for key in history if key.startswith("val_")} == KEYS


def test_callbacks_behind_it_see_it(tmp_path):
    log, best = tmp_path / "log.csv", tmp_path / "best.keras"
    callbacks = [
        TailMonitor(data()),
        keras.callbacks.CSVLogger(log),
        keras.callbacks.EarlyStopping("val_error_p99", patience=1, min_delta=1e9, mode="min"),
        keras.callbacks.ModelCheckpoint(best, "val_error_p99", mode="min", save_best_only=True),
    ]
    history = fit(model(PercentileLoss(0.9)), callbacks, epochs=5)
    assert len(history["loss"]) == 2  # stopped
    with log.open() as lines:
        rows = list(csv.DictReader(lines))
    for key in KEYS | {"val_threshold"}:
        np.testing.assert_allclose([float(row[key]) for row in rows], history[key], rtol=1e-6)
    assert best.exists()


def test_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    fit(model(PercentileLoss(0.9)), [TailMonitor(data()), board])
    tags = {
        value.tag
        for path in (tmp_path / "validation").iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert "epoch_error_p99" in tags
    assert "epoch_threshold" in tags


def test_whoever_stands_before_it_does_not_see_it(tmp_path):
    log = tmp_path / "log.csv"
    history = fit(model(), [keras.callbacks.CSVLogger(log), TailMonitor(data())])
    assert "val_error_p99" not in log.read_text()
    assert set(history) >= KEYS


@pytest.mark.parametrize("validation", [False, True])
def test_with_and_without_keras_validation(validation):
    arguments = {"validation_data": data()} if validation else {}
    history = fit(model(), [TailMonitor(data())], **arguments)
    assert set(history) >= KEYS
    assert ("val_loss" in history) == validation


def test_data_sets_and_vectors_of_labels():
    x, y = data()
    expected = fit(model(), [TailMonitor((x, y))])
    weights = np.ones(len(x), "float32")
    batches = tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(30)
    for given in (batches, (x, y[:, 0]), [x, y, weights], (tf.constant(x), tf.constant(y))):
        history = fit(model(), [TailMonitor(given)])
        for key in KEYS:
            np.testing.assert_allclose(history[key], expected[key], rtol=1e-5)


def test_several_inputs():
    x, y = data()
    inputs = {"a": keras.Input((2,), name="a"), "b": keras.Input((2,), name="b")}
    outputs = keras.layers.Dense(1)(keras.layers.Concatenate()(list(inputs.values())))
    m = keras.Model(inputs, outputs)
    m.compile("sgd", "mse")
    parts = {"a": x[:, :2], "b": x[:, 2:]}
    monitor = TailMonitor((parts, y), batch_size=33)
    m.fit(parts, y, verbose=0, callbacks=[monitor])
    np.testing.assert_allclose(
        monitor.tail["max"], np.abs(m.predict(parts, verbose=0) - y).max(), rtol=1e-5
    )


def test_nan_is_shown():
    x, y = data()
    y[3] = np.nan
    history = fit(model(), [TailMonitor((x, y))], epochs=1)
    assert np.isnan(history["val_error_p50"][0])
    assert np.isnan(history["val_error_max"][0])


def test_picture(tmp_path):
    path = tmp_path / "pictures" / "tail.png"
    monitor = TailMonitor(data(), picture=path)
    for loss in (PercentileLoss(0.9), "mse"):
        fit(model(loss), [monitor])
        assert path.stat().st_size > 10_000
        path.unlink()
    assert len(monitor.tail["p99"]) == 3  # of the second training alone
    fit(model(), [monitor], epochs=1)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib():
    run_python(
        """
        import sys
        import numpy as np
        sys.modules["matplotlib"] = None
        from tailops.callbacks import TailMonitor
        data = np.ones((3, 1)), np.ones((3, 1))
        TailMonitor(data)
        try:
            TailMonitor(data, picture="tail.png")
        except ImportError as error:
            assert "needs Matplotlib: pip install" in str(error), error
        else:
            raise AssertionError
        """
    )


def test_bad_arguments():
    x, y = data()
    for arguments, error, message in [
        (((x, y[:-1]),), ValueError, r"validation_data of \[200, 199\] rows"),
        (((x[:0], y[:0]),), ValueError, "must be equally many, and some"),
        (((x,),), TypeError, r"validation_data of 1 arrays: must be \(x, y\)"),
        ((3,), TypeError, "validation_data of type int"),
        (((x, y), 0), ValueError, "batch_size=0: must be at least 1"),
        (((x, y), 1.5), TypeError, r"batch_size=1\.5: must be an integer"),
    ]:
        with pytest.raises(error, match=message):
            TailMonitor(*arguments)
    with pytest.raises(
        ValueError, match=r"y of shape \(200, 2\) and predictions of shape \(200, 1"
    ):
        fit(model(), [TailMonitor((x, np.ones((200, 2))))])
    with pytest.raises(ValueError, match="used up after one epoch"):
        fit(model(), [TailMonitor(iter([(x, y)]))])


@pytest.mark.parametrize(
    ("loss_of", "name"),
    [
        (lambda v: PercentileLoss(v, 5.0), "percentile"),
        (lambda v: PercentileLoss(0.9, 5.0, error_scale=v), "error_scale"),
        (lambda v: AverageTopKLoss("mae", fraction=v), "fraction"),
        (lambda v: CVaRLoss("mae", v), "percentile"),
        (lambda v: TailWeightedLoss("mae", v), "percentile"),
        (lambda v: AverageTopKLoss("mae", k=v), "k"),
    ],
)
def test_a_schedule_is_in_the_logs_and_the_picture(loss_of, name, tmp_path):
    pytest.importorskip("matplotlib")
    x = np.random.default_rng(0).standard_normal((64, 1)).astype("float32")
    number = keras.Variable(0.5)
    m = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    m.compile("sgd", loss_of(number))
    monitor = TailMonitor((x, 2 * x), picture=tmp_path / "tail.png")
    schedule = TailSchedule(number, 0.75, 0.25, 2)
    history = m.fit(x, 2 * x, epochs=3, verbose=0, callbacks=[monitor, schedule]).history
    assert history[name] == [0.75, 0.5, 0.25]
    assert monitor.schedule == {name: [0.75, 0.5, 0.25]}
    assert (tmp_path / "tail.png").stat().st_size > 10_000


def test_the_threshold_is_by_what_a_variable_holds():
    """And of all of the data where a loss is synchronized."""
    x = np.random.default_rng(0).standard_normal((64, 1)).astype("float32")
    for loss in (
        PercentileLoss(keras.Variable(0.75)),
        PercentileLoss(0.75, synchronized=True),
        PercentileLoss(0.75),
    ):
        m = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
        m.compile(keras.optimizers.SGD(0.0), loss)
        history = m.fit(x, 2 * x, verbose=0, callbacks=[TailMonitor((x, 2 * x))]).history
        assert history["val_threshold"] == [pytest.approx(np.sort(np.abs(x[:, 0]))[48])]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("loss", "rank"),
    [
        (PercentileLoss(0.9, gradient="fixed_weight", window=300), 270),
        (TailWeightedLoss("mae", 0.5, window=300), 150),
        (CVaRLoss("mae", 0.8, window=300), 240),
    ],
)
def test_the_threshold_of_a_window(loss, rank, nested, tmp_path):
    """That of the errors in training, as each epoch ends; 200 of the first, then 300."""
    x, y = data()
    layers = [keras.Input((4,)), keras.layers.Dense(1), ErrorWindow(300)]
    m = keras.Sequential([keras.Sequential(layers)] if nested else layers)
    m.compile(keras.optimizers.Adam(0.05), loss)
    history = fit(m, [TailMonitor((x, y), picture=tmp_path / "tail.png")])
    assert history["window_filled"] == [200, 300, 300]
    window = (m.layers[0] if nested else m).layers[-1]
    errors = np.sort(np.asarray(window.errors))
    assert history["window_threshold"][-1] == errors[rank]
    assert "val_threshold" not in history
    assert (tmp_path / "tail.png").stat().st_size > 10_000


def test_a_window_of_nothing_has_no_threshold():
    x, y = data()
    m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1), ErrorWindow(300)])
    m.compile("adam", PercentileLoss(gradient="fixed_weight", window=300))
    monitor, logs = TailMonitor((x, y)), {}
    monitor.set_model(m)
    monitor.on_train_begin()
    monitor.on_epoch_end(0, logs)
    assert np.isnan(logs["window_threshold"])
    assert logs["window_filled"] == 0
