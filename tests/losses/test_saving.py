"""Models compiled with the functions: what Keras saves of them, it loads."""

import keras
import numpy as np
import pytest
from processes import run_python
from quick import quick

from tailops import build_info, losses

NAMES = ["hybrid_percentile_loss", "max_fraction_loss", "percentile_loss"]

PROCESS = """
    import sys
    import keras
    import numpy as np
    from tailops import losses

    x = np.arange(40, dtype="float32").reshape(10, 4) / 7
    names = [name for name in losses.__all__ if name.islower()]
"""
# Of the process that writes the files; the other one has nothing else.
SAVE = """
    for name in names:
        function = getattr(losses, name)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile("adam", function, metrics=[function])
        print(*model.evaluate(x, np.cos(x[:, :1]), verbose=0))
        model.save(f"{sys.argv[1]}/{name}.keras")
"""
LOAD = """
    for name in names:
        model = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
        assert model.loss is getattr(losses, name), model.loss
        print(*model.evaluate(x, np.cos(x[:, :1]), verbose=0))
        model.fit(x, np.cos(x[:, :1]), verbose=0)
"""


def compiled(function):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", function, metrics=[function])
    return model


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((60, 4)).astype("float32"), rng.standard_normal((60, 1))


def test_all_functions_are_here():
    assert [name for name in losses.__all__ if name.islower()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_by_its_name(name):
    function = getattr(losses, name)
    assert keras.saving.get_registered_name(function) == f"tailops>{name}"
    assert keras.losses.deserialize(keras.losses.serialize(function)) is function
    assert keras.metrics.deserialize(keras.metrics.serialize(function)) is function


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", quick("keras", of=["keras", "h5"]))
def test_save_and_load(name, end, tmp_path):
    x, y = data()
    model = compiled(getattr(losses, name))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / f"model.{end}")
    loaded = keras.models.load_model(tmp_path / f"model.{end}")
    assert loaded.loss is model.loss
    np.testing.assert_allclose(
        loaded.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6
    )


@pytest.mark.parametrize("name", NAMES)
def test_config(name):
    model = compiled(getattr(losses, name))
    again = keras.Sequential.from_config(model.get_config())
    again.compile_from_config(model.get_compile_config())
    assert again.loss is model.loss
    assert again.get_compile_config() == model.get_compile_config()


@pytest.mark.parametrize(
    ("writer", "reader"),
    [
        ("tensorflow", "tensorflow"),
        pytest.param("tensorflow", "jax", marks=pytest.mark.extended),
        pytest.param("jax", "tensorflow", marks=pytest.mark.extended),
    ],
)
def test_from_another_process(writer, reader, tmp_path):
    """The file says nothing of Keras's backend: what one writes, the other reads."""
    if "jax" in (writer, reader) and not build_info()["jax"]:
        pytest.skip("built without kernels for JAX")
    written = run_python(PROCESS + SAVE, str(tmp_path), KERAS_BACKEND=writer).split()
    found = run_python(PROCESS + LOAD, str(tmp_path), KERAS_BACKEND=reader).split()
    assert len(written) == 2 * len(NAMES)
    np.testing.assert_allclose(np.float64(found), np.float64(written), rtol=1e-5)
