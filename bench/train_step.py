"""A whole Keras train step: forward, loss, backward and Adam, as `fit` runs it for a batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bench import floors
from bench.baselines import tensorflow as others
from bench.case import FLOOR, OURS, Compared, Contestant, Trial
from bench.environment import THREADS
from bench.published import in_float64
from tailops.layers import ErrorWindow
from tailops.losses import PercentileLoss

WHAT = "Keras train step"
FEATURES, WIDTH = 8, 64
BATCHES = (32, 512, 4096, 65_536)
MEAN_ABSOLUTE_ERROR = "Keras MAE"


def _with(name: str) -> Any:
    return others.loss_of(others.SELECT[name])


# By who it is: the loss, made anew for each model, and whether the step is compiled. MAE, another
# loss, is there for what a step costs without a tail.
LOSSES: dict[str, tuple[Callable[[], Any], bool]] = {
    OURS: (PercentileLoss, False),
    others.OURS_XLA: (PercentileLoss, True),
    others.SORT: (partial(_with, others.SORT), False),
    others.SORT_XLA: (partial(_with, others.SORT), True),
    "tf.math.top_k": (partial(_with, "tf.math.top_k"), False),
    "NthElement": (partial(_with, "NthElement"), False),
    MEAN_ABSOLUTE_ERROR: (partial(str, "mae"), False),
    f"{MEAN_ABSOLUTE_ERROR}, XLA": (partial(str, "mae"), True),
}
# What remembers, beside what does not: for small batches, whose percentile is one element.
WINDOWS = (4096, 65_536)
SMALL = 32


def _of_window(window: int | None) -> Any:
    return PercentileLoss(window=window, gradient="fixed_weight")


OF_WINDOWS: dict[str, tuple[Callable[[], Any], bool]] = {
    f"tailops, window of {window:,}{xla}": (partial(_of_window, window), bool(xla))
    for window in WINDOWS
    for xla in ("", ", XLA")
}


def _model(loss: Any, jit_compile: bool) -> keras.Model:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(WIDTH, "relu") for _ in range(2)]
    layers.append(keras.layers.Dense(1))
    window = getattr(loss, "window", None)
    if window is not None:
        layers.append(ErrorWindow(window))
    model = keras.Sequential([keras.Input((FEATURES,)), *layers])
    model.compile(keras.optimizers.Adam(1e-6), loss, jit_compile=jit_compile)
    return model


def _contestant(name: str, batch: tuple[Any, ...]) -> Contestant:
    make, jit_compile = (LOSSES | OF_WINDOWS)[name]
    model = _model(make(), jit_compile)
    return Contestant(lambda: (model.train_on_batch(*batch),))


@dataclass(frozen=True)
class TrainStep(Compared):
    """Of a batch of n."""

    what: str = WHAT
    n: int = BATCHES[0]

    @property
    def shape(self) -> str:
        """In words."""
        return f"{FEATURES} features, two layers of {WIDTH}"

    def who(self) -> list[str]:
        """Who is quick enough."""
        return [*LOSSES, *(OF_WINDOWS if self.n == SMALL else ())]

    def prepare(self) -> Trial:
        """A loss must be the one we have, or MAE, whichever is nearer."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.n, FEATURES), dtype=np.float32)
        y = x[:, :1] + rng.standard_t(3, (self.n, 1)).astype(np.float32)
        batch = tf.constant(x), tf.constant(y)
        residuals = np.asarray(_model("mae", jit_compile=False)(x)).astype(np.float64) - y
        right = [in_float64(residuals[:, 0], None)[0], np.abs(residuals).mean()]

        def expected(found: Any) -> None:
            nearest = min(right, key=lambda value: abs(value - found[0]))
            np.testing.assert_allclose(found[0], nearest, rtol=1e-4)

        makers = {name: partial(_contestant, name, batch) for name in self.who()}
        return Trial(makers, {FLOOR: floors.read_one(x, THREADS)}, expected)


def cases() -> Iterator[TrainStep]:
    """By batch size."""
    for batch in BATCHES:
        yield TrainStep(n=batch)
