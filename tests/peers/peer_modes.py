"""The ways in which a function of tailops is called: eager, in a graph, compiled by XLA, JAX."""

import functools

import numpy as np


class Eager:
    """As most people call them."""

    def __init__(self):
        import tensorflow as tf

        from tailops import ops

        self.functions = ops
        self._tf = tf

    def __call__(self, name, arrays, settings):
        tensors = [self._tf.constant(array) for array in arrays]
        return self.to_numpy(getattr(self.functions, name)(*tensors, **settings))

    def to_numpy(self, result):
        return result.numpy()

    def on_tensors(self, function):
        """A function of tensors, to be called with tensors."""
        return function


class Graph(Eager):
    """Sizes and the values of q are known at run time only."""

    compiled = False

    def __call__(self, name, arrays, settings):
        specs = tuple((array.ndim, array.dtype) for array in arrays)
        return self.to_numpy(self._traced(name, specs, tuple(settings.items()))(*arrays))

    @functools.cache  # noqa: B019 - one of it lives as long as the process
    def _traced(self, name, specs, settings):
        function = functools.partial(getattr(self.functions, name), **dict(settings))
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

    def __call__(self, name, arrays, settings):
        x, *q = arrays
        function = getattr(self.functions, name)
        result = self._jax.jit(lambda x: function(x, *q, **settings))(x)
        return np.array(result)[()]


MODES = {"eager": Eager, "graph": Graph, "xla": Xla, "jax": Jax}
