"""Models that remember: Keras on TensorFlow and on JAX."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from processes import run_python, run_script
from quick import quick

from tailops import build_info
from tailops.layers import ErrorWindow
from tailops.losses import CVaRLoss, MaxFractionLoss, PercentileLoss, TailWeightedLoss

HERE = Path(__file__).parent


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_training(backend, tmp_path):
    if backend == "jax":
        pytest.importorskip("jax")
        if not build_info()["jax"]:
            pytest.skip("built without kernels for JAX")
    paths = f"{HERE}:{HERE.parent}"
    printed = run_script(HERE / "training.py", tmp_path, KERAS_BACKEND=backend, PYTHONPATH=paths)
    assert printed.strip().endswith("done")


@pytest.mark.parametrize("replicas", quick(2, of=[2, 4]))
def test_replicas(replicas):
    run_script(HERE / "under_strategies.py", replicas)


def test_a_model_loads_where_only_the_losses_are_imported(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), ErrorWindow(8)])
    model.compile("adam", CVaRLoss("mae", window=8))
    model.fit(np.ones((5, 2), "float32"), np.zeros((5, 1), "float32"), verbose=0)
    model.save(tmp_path / "model.keras")
    printed = run_python(
        """
        import sys
        import keras
        import tailops.losses

        model = keras.models.load_model(sys.argv[1])
        print(float(model.layers[-1].written), model.loss.window)
        """,
        tmp_path / "model.keras",
    )
    assert printed.split() == ["5.0", "8"]


def test_custom_loop():
    """That calls the model with training=True; without, there is no gradient to be had."""
    layer, loss = ErrorWindow(8), PercentileLoss(gradient="fixed_weight", window=8)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), layer])
    x, y = np.ones((5, 2), "float32"), np.zeros((5, 1), "float32")

    @tf.function
    def step(training):
        with tf.GradientTape() as tape:
            value = loss(y, model(x, training=training))
        return tape.gradient(value, model.trainable_variables)

    step(True)
    assert float(layer.written) == 5
    with pytest.raises(ValueError, match="training=True"):
        step(False)
    assert float(layer.written) == 5


@pytest.mark.parametrize("make", [PercentileLoss, MaxFractionLoss])
def test_exact_gradient_is_an_error(make):
    with pytest.raises(ValueError, match='window=8, gradient="exact": must be "fixed_weight"'):
        make(window=8)


@pytest.mark.parametrize("make", [TailWeightedLoss, CVaRLoss])
@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"window": 0}, ValueError, "window=0"),
        ({"window": 2.5}, TypeError, "window=2.5"),
        ({"window": True}, TypeError, "window=True"),
        ({"window": 8, "axis": 0}, ValueError, "window=8, axis=0: must be None"),
    ],
)
def test_arguments(make, how, error, message):
    with pytest.raises(error, match=message):
        make("mae", **how)


@pytest.mark.parametrize(
    ("size", "error"), [(0, ValueError), (2**23 + 1, ValueError), (1.5, TypeError)]
)
def test_sizes(size, error):
    with pytest.raises(error, match="size="):
        ErrorWindow(size)


def test_configurations():
    for loss in (
        PercentileLoss(gradient="fixed_weight", window=8),
        TailWeightedLoss("mae", window=8),
        CVaRLoss("mae", window=8),
    ):
        again = type(loss).from_config(loss.get_config())
        assert again.window == 8
        assert again.get_config() == loss.get_config()
    layer = ErrorWindow(8)
    assert ErrorWindow.from_config(layer.get_config()).size == 8


def test_dtypes_must_agree():
    layer = ErrorWindow(8)
    predictions = layer(tf.zeros((3, 1), "float32"), training=True)
    loss = PercentileLoss(gradient="fixed_weight", window=8, dtype="float64")
    with pytest.raises(ValueError, match="and dtype float32; must be 8, and float64"):
        loss(tf.zeros((3, 1), "float64"), predictions)


XLA_WITHOUT_KERNELS = """
    import tensorflow as tf
    from tailops.layers import ErrorWindow
    from tailops.losses import PercentileLoss

    layer, loss = ErrorWindow(8), PercentileLoss(gradient="fixed_weight", window=8)
    layer.build((3, 1))

    @tf.function(jit_compile=True)
    def step(y_pred):
        return loss(tf.zeros((3, 1)), layer(y_pred, training=True))

    try:
        step(tf.ones((3, 1)))
    except NotImplementedError as error:
        print(error)
"""


def test_inside_xla_without_its_kernels():
    assert "jit_compile=False" in run_python(XLA_WITHOUT_KERNELS, TAILOPS_XLA="off")


JAX_LOOP = """
    import jax
    import keras
    import numpy as np
    from tailops.layers import ErrorWindow
    from tailops.losses import PercentileLoss

    layer, loss = ErrorWindow(8), PercentileLoss(gradient="fixed_weight", window=8)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1), layer])
    x, y = np.ones((5, 2), "float32"), np.zeros((5, 1), "float32")
    trained, others = ([v.value for v in vs] for vs in (
        model.trainable_variables, model.non_trainable_variables))

    def of_step(trained, others, inside):
        predicted, others = model.stateless_call(trained, others, x, training=True)
        if not inside:
            return loss(y, predicted), others
        mapping = list(zip(model.non_trainable_variables, others))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            value = loss(y, predicted)
        return value, [scope.get_current_value(v) for v in model.non_trainable_variables]

    step = jax.jit(jax.value_and_grad(of_step, has_aux=True), static_argnums=2)
    for count in (5, 8 + 2):
        (_, others), _ = step(trained, others, True)
        assert float(others[1]) == count, others
    try:
        step(trained, others, False)
    except ValueError as error:
        assert "stateless_compute_loss" in str(error)
    else:
        raise AssertionError("nobody carries it, and there is no error")
    print("done")
"""


def test_custom_loop_of_jax():
    pytest.importorskip("jax")
    if not build_info()["jax"]:
        pytest.skip("built without kernels for JAX")
    assert run_python(JAX_LOOP, KERAS_BACKEND="jax").strip() == "done"
