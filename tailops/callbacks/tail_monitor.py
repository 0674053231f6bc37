"""Percentiles of the validation error, epoch by epoch."""

import operator
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tailops import kernels
from tailops._checks import integer
from tailops._options import TailOptions
from tailops.callbacks._picture import draw, require_matplotlib
from tailops.callbacks._variables import variables_of
from tailops.callbacks._window import measured
from tailops.losses._base import TailLoss

__all__ = ["TailMonitor"]

_PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}


class TailMonitor(keras.callbacks.Callback):  # type: ignore[misc]
    """Logs how large the errors on validation data are, from the median to the largest.

    At the end of every epoch the model predicts the validation data, and the logs get

        val_error_p50, val_error_p90, val_error_p99, val_error_max    of |ŷ − y|, in y's unit
        val_threshold                                                 the loss's t, in its unit

    The second only where the model's loss is one of `tailops.losses`: computed over all of the
    validation data, by the loss's own rule; with an axis, the mean of its thresholds. The
    percentiles are those of `numpy.quantile`, all outputs of a row alike; a NaN makes them NaN.
    With a loss that has a window, t is that of the window instead, as the epoch ends:

        window_threshold, window_filled    the loss's t, and how many errors the window has

    Numbers of a loss of `tailops.losses` that are variables, which `TailSchedule` moves, are
    logged by their arguments' names: `percentile`, `fraction`, `error_scale`.

    Keras hands the same logs from callback to callback, in the order of the list: **put this one
    first**, so that CSVLogger, TensorBoard, EarlyStopping and ModelCheckpoint see its entries
    (the last two want mode="min"). The history has them wherever it stands.

    Args:
        validation_data: (x, y) of arrays, or a data set of such batches (anything that can be
            iterated over once an epoch). What follows y in a batch, sample weights, is not used.
        batch_size: Rows that are predicted at a time, where arrays are given.
        picture: Where to write a picture of all epochs when training ends, such as "tail.png";
            None: nowhere. Needs Matplotlib.

    Raises:
        ImportError: A picture is wanted, and there is no Matplotlib.
        TypeError: `validation_data` is neither a pair of arrays nor a data set.
        ValueError: Arrays differ in how many rows they have, or are empty; `batch_size` is not
            positive; while training: predictions and labels differ in shape.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(x, 2 * x, verbose=0, callbacks=[TailMonitor((x, 2 * x))])
        >>> sorted(name for name in history.history if "error" in name)
        ['val_error_max', 'val_error_p50', 'val_error_p90', 'val_error_p99']
    """

    def __init__(
        self,
        validation_data: Any,
        batch_size: int = 1024,
        picture: str | PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        batch_size = integer("batch_size", batch_size, least=1)
        self._arrays = isinstance(validation_data, tuple | list)
        if self._arrays:
            self._require_rows(validation_data)
        elif not hasattr(validation_data, "__iter__"):
            raise TypeError(
                f"validation_data of type {type(validation_data).__name__}: must be (x, y), or a "
                "data set of such batches"
            )
        self._data = validation_data
        self._batch_size = int(batch_size)
        self._picture = None if picture is None else Path(picture)
        if self._picture is not None:
            require_matplotlib()
        self.tail: dict[str, list[float]] = {}
        self.schedule: dict[str, list[float]] = {}

    @staticmethod
    def _require_rows(data: Any) -> None:
        if len(data) not in (2, 3):
            raise TypeError(f"validation_data of {len(data)} arrays: must be (x, y)")
        rows = [len(part) for part in keras.tree.flatten(data[:2])]
        if len(set(rows)) != 1 or rows[0] == 0:
            raise ValueError(f"validation_data of {rows} rows: must be equally many, and some")

    def _batches(self) -> Iterator[tuple[Any, Any]]:
        if not self._arrays:
            for batch in self._data:
                yield batch[0], batch[1]
            return
        x, y = self._data[:2]
        rows = len(keras.tree.flatten(y)[0])
        for first in range(0, rows, self._batch_size):
            part = slice(first, first + self._batch_size)
            yield keras.tree.map_structure(operator.itemgetter(part), x), y[part]

    def _predictions(self) -> tuple[Any, Any]:
        """Labels and predictions, all of them, of the same shape."""
        labels, predictions = [], []
        for x, y in self._batches():
            predicted = self.model.predict_on_batch(x)
            if isinstance(predicted, dict | list | tuple):
                raise ValueError("TailMonitor needs a model with one output")
            predicted, known = np.asarray(predicted), np.asarray(y)
            if predicted.ndim == known.ndim + 1 and predicted.shape[-1] == 1:
                known = known[..., None]
            if predicted.shape != known.shape:
                raise ValueError(
                    f"y of shape {known.shape} and predictions of shape {predicted.shape}: must be "
                    "the same, up to a last axis of 1"
                )
            labels.append(known.astype(predicted.dtype))
            predictions.append(predicted)
        if not labels:
            raise ValueError("validation_data has no batch: a generator is used up after one epoch")
        return np.concatenate(labels), np.concatenate(predictions)

    @property
    def _loss(self) -> Any:
        """The model's; a model that computes its own has none."""
        return getattr(self.model, "loss", None)

    def _measure(self) -> dict[str, float]:
        y_true, y_pred = self._predictions()
        errors = np.abs(y_pred.astype(np.float64) - y_true)
        found = {name: float(np.quantile(errors, p)) for name, p in _PERCENTILES.items()}
        found["max"] = float(errors.max())
        if isinstance(self._loss, TailLoss) and self._loss.window is None:
            # With what its variables hold; here is all of the data, whatever it is spread over.
            options = TailOptions(**self._loss.options.get_config() | {"synchronized": False})
            _, state = kernels.forward(y_true, y_pred, options, reduction="mean")
            found["threshold"] = float(np.mean(state["threshold"]))
        return found

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Forgets an earlier training."""
        self.tail, self.schedule = {}, {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Measures, and adds to the logs."""
        logs = {} if logs is None else logs
        for name, value in self._measure().items():
            self.tail.setdefault(name, []).append(value)
            logs["val_threshold" if name == "threshold" else f"val_error_{name}"] = value
        for name, value in variables_of(self._loss).items():
            self.schedule.setdefault(name, []).append(value)
            logs[name] = value
        of_window = measured(self.model, self._loss)
        if of_window is not None:
            self.tail.setdefault("threshold", []).append(of_window.threshold)
            self.schedule.setdefault("window_filled", []).append(of_window.filled)
            logs |= {"window_threshold": of_window.threshold, "window_filled": of_window.filled}

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Draws the picture."""
        if self._picture is not None and self.tail:
            draw(self.tail, self._picture, self.schedule)
