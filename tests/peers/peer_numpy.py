"""NumPy's functions of quantiles, as tailops computes them.

What NumPy's users expect is translated: the types of arguments, of results and of errors. Values
are passed on as they are.
"""

import contextlib
import re

import numpy as np
from numpy.exceptions import AxisError

DISCRETE = {"inverted_cdf", "closest_observation", "lower", "higher", "nearest"}
NAMES = ("quantile", "nanquantile", "percentile", "nanpercentile", "median", "nanmedian")


# What is wrong with weights, as tailops says it, and as NumPy does.
OF_WEIGHTS = {
    "weights.* one is -": "Weights must be non-negative",
    "weights.* one is (nan|inf)": "Weights included NaN, inf or were all zero",
    "weights of a group are all 0": "Weights included NaN, inf or were all zero",
    "method=.* with weights": "Only method 'inverted_cdf' supports weights",
}


class NotTakenError(NotImplementedError):
    """An argument that tailops has not, by the reason in `peer_differences`."""

    def __init__(self, reason):
        super().__init__(f"not taken: {reason}")


def require_taken(array):
    """Raises NotTakenError for kinds of arrays that are none of tensors'."""
    if type(array) is not np.ndarray:
        raise NotTakenError("subclasses")
    if array.dtype.kind == "O":
        raise NotTakenError("object arrays")
    if array.dtype.kind in "mM":
        raise NotTakenError("datetimes")
    if array.dtype == np.longdouble and np.finfo(np.longdouble).bits > 64:
        raise NotTakenError("long double")


def as_array(values):
    """An array, that of a subclass too."""
    array = np.asanyarray(values)
    require_taken(array)
    # TensorFlow has one complex type less; tailops has to say what it thinks of them.
    return array.astype(np.complex128) if array.dtype.kind == "c" else array


@contextlib.contextmanager
def errors_of_numpy(rank, axis):
    """TensorFlow's and ours, of NumPy's types and with what NumPy's tests look for."""
    try:
        yield
    except Exception as error:
        text = str(error)
        if re.search(r"\bq\b.*must be in \[0, ", text):
            raise ValueError(f"Quantiles/Percentiles must be in the range: {text}") from error
        for ours, numpys in OF_WEIGHTS.items():
            if re.search(ours, text):
                raise ValueError(f"{numpys}: {text}") from error
        if isinstance(error, ValueError) and "dimension(s)" in text:
            outside = [a for a in np.atleast_1d(axis) if not -rank <= a < rank]
            raise AxisError(outside[0], rank) from error
        raise


class Adapters:
    """The functions by their names; `mode` calls tailops, `fault` is what is made wrong."""

    def __init__(self, mode, fault):
        self._mode = mode
        self._fault = fault

    def functions(self):
        """Each under its name."""
        return {name: self._median(name) if "med" in name else self._of_q(name) for name in NAMES}

    def _of_q(self, name):
        def function(
            a,
            q,
            axis=None,
            out=None,
            overwrite_input=False,
            method="linear",
            keepdims=False,
            *,
            weights=None,
        ):
            settings = {"method": method}
            return self._call(name, [a, q], axis, out, overwrite_input, keepdims, settings, weights)

        return self._named(function, name)

    def _median(self, name):
        def function(a, axis=None, out=None, overwrite_input=False, keepdims=False):
            return self._call(name, [a], axis, out, overwrite_input, keepdims, {})

        return self._named(function, name)

    def _named(self, function, name):
        function.__name__ = function.__qualname__ = name
        return function

    def _call(self, name, given, axis, out, overwrite_input, keepdims, settings, weights=None):
        if out is not None:
            raise NotTakenError("out=")
        if overwrite_input:
            raise NotTakenError("overwrite_input=")
        has_weights = weights is not None
        arrays = [as_array(values) for values in (*given, *([weights] if has_weights else []))]
        # NumPy interpolates integers in float64, Keras and so tailops in `floatx`.
        if arrays[0].dtype.kind in "iub" and settings.get("method") not in DISCRETE:
            arrays[0] = arrays[0].astype(np.float64)
        settings = {
            "axis": tuple(axis) if isinstance(axis, list) else axis,
            "keepdims": keepdims is not np._NoValue and bool(keepdims),
            **settings,
        }
        arrays, settings = self._fault.arguments(arrays, settings)
        with errors_of_numpy(arrays[0].ndim, axis):
            return self._fault.result(self._mode(name, arrays, settings, has_weights))


def lerp_of(quantile):
    """NumPy's interpolation of two numbers: the quantile of the two."""

    def _lerp(a, b, t):
        return quantile([a, b], t if a <= b else 1 - t)

    return _lerp


def install(mode, fault, names):
    """From now on those whose names are found are NumPy's."""
    import numpy.lib._function_base_impl as implementation

    functions = Adapters(mode, fault).functions()
    for name, function in functions.items():
        if re.search(names, name):
            setattr(np, name, function)
    if re.search(names, "_lerp"):
        implementation._lerp = lerp_of(functions["quantile"])
