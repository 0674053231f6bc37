"""A whole Keras train step: forward, loss, backward and Adam, as `fit` runs it for a batch."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench import baselines
from bench.match import OURS, Case, Contestant, floor_of, play
from bench.suites import reference
from tailops.losses import PercentileLoss

WHAT = "Keras train step"
FEATURES, WIDTH = 8, 64
BATCHES = (32, 512, 4096, 65_536)
MEAN_ABSOLUTE_ERROR = "Keras MAE"


def cases() -> Iterator[Case]:
    """By batch size."""
    for batch in BATCHES:
        yield Case(WHAT, batch, shape=f"{FEATURES} features, two layers of {WIDTH}")


def _with(selection: str) -> Callable[..., tf.Tensor]:
    return baselines.loss_of(baselines.SELECTIONS[selection])


def _model(loss: Any, jit_compile: bool) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(WIDTH, "relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((FEATURES,)), *layers, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(1e-6), loss, jit_compile=jit_compile)
    return model


def run_case(case: Case, seconds: float) -> dict[str, Any]:
    """Its row of the results. MAE, another loss, is there for what a step costs without a tail."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.n, FEATURES), dtype=np.float32)
    y = x[:, :1] + rng.standard_t(3, (case.n, 1)).astype(np.float32)
    losses = {
        OURS: (PercentileLoss(), False),
        baselines.OURS_XLA: (PercentileLoss(), True),
        baselines.SORT: (_with(baselines.SORT), False),
        baselines.SORT_XLA: (_with(baselines.SORT), True),
        "tf.math.top_k": (_with("tf.math.top_k"), False),
        "NthElement": (_with("NthElement"), False),
        MEAN_ABSOLUTE_ERROR: ("mae", False),
        f"{MEAN_ABSOLUTE_ERROR}, XLA": ("mae", True),
    }
    batch = tf.constant(x), tf.constant(y)
    contestants = {}
    for name, (loss, jit_compile) in losses.items():
        model = _model(loss, jit_compile)
        contestants[name] = Contestant(lambda model=model: (model.train_on_batch(*batch),))
    residuals = np.asarray(_model("mae", jit_compile=False)(x)).astype(np.float64) - y
    right = [reference(residuals[:, 0], None)[0], np.abs(residuals).mean()]

    def expected(found: Any) -> None:
        nearest = min(right, key=lambda value: abs(value - found[0]))
        np.testing.assert_allclose(found[0], nearest, rtol=1e-4)

    return play(case, contestants, floor_of([x], writes=False), expected, seconds)
