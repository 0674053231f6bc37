"""The losses around another loss: configurations, and models that are saved with them."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import run_python
from quick import quick

from tailops import build_info
from tailops.losses import (
    AverageTopKLoss,
    CVaRLoss,
    OHEMLoss,
    TailWeightedLoss,
    TrimmedLoss,
)


@keras.saving.register_keras_serializable(package="tests")
def cubed(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)


def not_registered(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 4, axis=-1)


INNER = {
    "name": "mae",
    "function": keras.losses.log_cosh,
    "registered": cubed,
    "instance": keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    "of its own": TailWeightedLoss("mae", 0.3),
}
NON_DEFAULT = {
    CVaRLoss: {"percentile": 0.6},
    AverageTopKLoss: {"k": 3, "fraction": None},
    OHEMLoss: {"threshold": 0.4, "min_kept": 5},
    TrimmedLoss: {"fraction": 0.3},
    TailWeightedLoss: {
        "percentile": 0.7,
        "error_scale": 3.0,
        "smoothing_factor": 7.0,
        "gradient": "exact",
        "smoothing_unit": "error",
        "method": "linear",
        "ignore_nan": True,
    },
}
COMMON = {
    "axis": (0,),
    "synchronized": True,
    "reduction": "sum",
    "name": "mine",
    "dtype": "float64",
}


def pair():
    rng = np.random.default_rng(0)
    return (rng.standard_normal((30, 2)).astype("float32") for _ in range(2))


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("cls", NON_DEFAULT)
def test_config_is_complete(cls, inner):
    chosen = {"loss": INNER[inner], **NON_DEFAULT[cls], **COMMON}
    # Of losses that have no axis, are not synchronized: tests/windows, test_weighted_losses.py.
    for name, default in (("window", None), ("weighted", False)):
        if name in inspect.signature(cls).parameters:
            chosen[name] = default
    assert set(chosen) == set(inspect.signature(cls).parameters)
    loss = cls(**chosen)
    config = loss.get_config()
    assert {name: config[name] for name in chosen if name != "loss"} == {
        name: value for name, value in chosen.items() if name != "loss"
    }
    y_true, y_pred = pair()
    for again in (
        cls.from_config(config),
        keras.losses.deserialize(keras.losses.serialize(loss)),
        keras.losses.get(keras.losses.serialize(loss)),
    ):
        assert type(again) is cls
        assert again.get_config() == config
        assert again(y_true, y_pred) == loss(y_true, y_pred)


def test_a_share_and_defaults():
    share = AverageTopKLoss("mae", fraction=0.25)
    assert AverageTopKLoss.from_config(share.get_config()).get_config() == share.get_config()
    assert OHEMLoss("mae").get_config()["threshold"] is None
    tail = TailWeightedLoss()
    assert tail.get_config()["loss"] == CVaRLoss("mae").get_config()["loss"]
    assert tail.options.gradient == "fixed_weight"
    first = ["loss", "percentile", "error_scale", "smoothing_factor"]
    assert list(inspect.signature(TailWeightedLoss).parameters)[:4] == first
    for cls in NON_DEFAULT:
        assert keras.saving.get_registered_name(cls) == f"tailops>{cls.__name__}"


def test_before_there_was_a_unit():
    """κ was in 1/value: what was saved then means that."""
    y_true, y_pred = pair()
    saved = keras.losses.serialize(TailWeightedLoss("mae", 0.8, smoothing_unit="error"))
    del saved["config"]["smoothing_unit"]
    old, new = keras.losses.deserialize(saved), TailWeightedLoss("mae", 0.8)
    assert (old.options.smoothing_unit, new.options.smoothing_unit) == ("error", "threshold")
    assert old(y_true, y_pred) == TailWeightedLoss("mae", 0.8, smoothing_unit="error")(
        y_true, y_pred
    )


def test_of_variables_the_number_is_saved():
    for number in (tf.Variable(0.25), keras.Variable(0.25), tf.constant(0.25), np.float32(0.25)):
        assert CVaRLoss("mae", number).get_config()["percentile"] == 0.25
        keras.losses.deserialize(keras.losses.serialize(TrimmedLoss("mae", number)))


def test_a_function_that_is_not_registered():
    loss = CVaRLoss(not_registered)
    config = keras.losses.serialize(loss)
    custom = {"not_registered": not_registered}
    again = keras.losses.deserialize(config, custom_objects=custom)
    y_true, y_pred = pair()
    assert again(y_true, y_pred) == loss(y_true, y_pred)


def compiled(loss):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("adam", loss, metrics=[CVaRLoss("mae", 0.5, name="worst")])
    return model


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("cls", quick(TailWeightedLoss, AverageTopKLoss, of=list(NON_DEFAULT)))
def test_save_and_load(cls, inner, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 4)), rng.standard_normal((60, 2))
    model = compiled(cls(INNER[inner], **NON_DEFAULT[cls], axis=(0,)))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.loss) is cls
    assert loaded.loss.get_config() == model.loss.get_config()
    np.testing.assert_allclose(
        loaded.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6
    )
    loaded.fit(x, y, verbose=0)


PROCESS = """
    import sys
    import keras
    import numpy as np
    from tailops.losses import (
        AverageTopKLoss, CVaRLoss, OHEMLoss, TailWeightedLoss, TrimmedLoss
    )

    x = np.arange(40, dtype="float32").reshape(10, 4) / 7
    y = np.cos(x[:, :1])
    losses = [
        AverageTopKLoss(keras.losses.Huber(), fraction=0.3),
        CVaRLoss("mae", 0.5),
        OHEMLoss("mse", 0.4, 2),
        TailWeightedLoss("mae"),
        TrimmedLoss("log_cosh"),
    ]
    paths = [f"{sys.argv[1]}/{loss.name}.keras" for loss in losses]
"""
SAVE = """
    for loss, path in zip(losses, paths):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("adam", loss)
        print(model.evaluate(x, y, verbose=0))
        model.save(path)
"""
LOAD = """
    for loss, path in zip(losses, paths):
        model = keras.models.load_model(path)
        assert model.loss.get_config() == loss.get_config()
        print(model.evaluate(x, y, verbose=0))
"""


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        pytest.param("tensorflow", "jax", marks=pytest.mark.extended),
        pytest.param("jax", "tensorflow", marks=pytest.mark.extended),
    ],
)
def test_from_another_process(writer, reader, tmp_path):
    if "jax" in (writer, reader) and not build_info()["jax"]:
        pytest.skip("built without kernels for JAX")
    written = run_python(PROCESS + SAVE, str(tmp_path), KERAS_BACKEND=writer).split()
    found = run_python(PROCESS + LOAD, str(tmp_path), KERAS_BACKEND=reader).split()
    assert len(written) == 5
    np.testing.assert_allclose(np.float64(found), np.float64(written), rtol=1e-5)
