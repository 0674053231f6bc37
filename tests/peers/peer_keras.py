"""Keras's functions of quantiles, as tailops computes them: its names, with no translation."""

import functools
import re

import keras.src.backend as keras_backend
from keras.src.ops import numpy as keras_numpy

NAMES = ("quantile", "nanquantile", "percentile", "nanpercentile", "median", "nanmedian")


def install(mode, fault, names):
    """From now on those whose names are found are Keras's, also inside of its operations."""
    for name in filter(re.compile(names).search, NAMES):
        function = adapted(getattr(mode.functions, name), mode, fault)
        setattr(keras_numpy, name, function)
        setattr(keras_backend.numpy, name, function)


def adapted(function, mode, fault):
    """It with its arguments as they are, but those that are known when a graph is traced."""
    from keras import KerasTensor

    @functools.wraps(function)
    def called(*tensors, **settings):
        if any(isinstance(tensor, KerasTensor) for tensor in tensors):
            return function(*tensors, **settings)
        settings = {"axis": None, **settings}
        if isinstance(settings["axis"], list):
            settings["axis"] = tuple(settings["axis"])
        tensors = [keras_backend.convert_to_tensor(tensor) for tensor in tensors]
        tensors, settings = fault.arguments(tensors, settings)
        return fault.result(mode.on_tensors(functools.partial(function, **settings))(*tensors))

    return called
