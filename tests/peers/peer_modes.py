"""The ways in which a function of tailops is called: eager, in a graph, compiled by XLA, JAX."""

import functools

import numpy as np


def _with(function, settings, has_weights):
    """A function of arrays; the last of them may be weights."""
    if not has_weights:
        return functools.partial(function, **settings)
    return lambda *arrays: function(*arrays[:-1], weights=arrays[-1], **settings)


class Eager:
    """As most people call them."""

    def __init__(self):
        import tensorflow as tf

        from tailops import ops

        self.functions = ops
        self._tf = tf

    def __call__(self, name, arrays, settings, has_weights=False):
        tensors = [self._tf.constant(array) for array in arrays]
        function = _with(getattr(self.functions, name), settings, has_weights)
        return self.to_numpy(function(*tensors))

    def to_numpy(self, result):
        return result.numpy()

    def on_tensors(self, function):
        """A function of tensors, to be called with tensors."""
        return function


class Graph(Eager):
    """Sizes and the values of q are known at run time only."""

    compiled = False

    def __call__(self, name, arrays, settings, has_weights=False):
        specs = tuple((array.ndim, array.dtype) for array in arrays)
        traced = self._traced(name, specs, tuple(settings.items()), has_weights)
        return self.to_numpy(traced(*arrays))

    @functools.cache  # noqa: B019 - one of it lives as long as the process
    def _traced(self, name, specs, settings, has_weights):
        function = _with(getattr(self.functions, name), dict(settings), has_weights)
        signature = [self._tf.TensorSpec([None] * rank, dtype) for rank, dtype in specs]
        return self._tf.function(
            function, input_signature=signature, jit_compile=self.compiled, autograph=False
        )

    def on_tensors(self, function):
        return self._tf.function(function, jit_compile=self.compiled, autograph=False)


class Xla(Graph):
    """The same, compiled."""

    compiled = True


class Jax:
    """`tailops.jax`, under jit; the values of q are known, as JAX's own static arguments are."""

    def __init__(self):
        import jax

        import tailops.jax

        jax.config.update("jax_enable_x64", True)
        self.functions = tailops.jax
        self._jax = jax

    def __call__(self, name, arrays, settings, has_weights=False):
        x, *others = arrays
        function = _with(getattr(self.functions, name), settings, has_weights)
        result = self._jax.jit(lambda x: function(x, *others))(x)
        return np.array(result)[()]


MODES = {"eager": Eager, "graph": Graph, "xla": Xla, "jax": Jax}
