"""Errors so large that a spike at the threshold is millions of times what is left of it."""

import exact
import numpy as np
import pytest
import tensorflow as tf
from kinds import METHODS

from tailops import _kernels, ops, reference
from tailops._options import TailOptions

IMPLEMENTATIONS = {
    "op": ops.tail_loss,
    "compiled": tf.function(ops.tail_loss, jit_compile=True),
    "reference": reference.tail_loss,
}


def heavy(n, dtype, ties=1):
    """Residuals up to 100, far apart at the top, some of them equal."""
    rng = np.random.default_rng(n)
    top = np.linspace(20.0, 100.0, 12)
    d = np.concatenate([rng.standard_normal(n - 12), top])
    d[-6 : -6 + ties] = top[6]
    return (rng.permutation(d) * rng.choice([-1, 1], n)).astype(dtype)


def gradient(f, d, options, upstream):
    y_pred = tf.constant(d)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        loss = f(tf.zeros_like(y_pred), y_pred, options, reduction="none")
    return tape.gradient(loss, y_pred, tf.constant(upstream)).numpy().astype(np.float64)


@pytest.mark.parametrize("impl", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_left_of_a_spike(impl, dtype, method):
    n, ties = 200, 3
    d = heavy(n, dtype, ties)
    for same in (True, False):
        upstream = np.full(n, 0.7) if same else np.random.default_rng(1).uniform(0.5, 2.0, n)
        upstream = upstream.astype(dtype)
        for error in _kernels.ERRORS:
            # At one of the ties, and at the last element below them.
            for rank in (n - 6, n - 5.5, n - 7):
                p = (rank + 0.25) / n if method == "floor" else rank / (n - 1)
                options = TailOptions(p, 100.0, 10.0, error=error, method=method, epsilon=0.1)
                expected = exact.gradient(d, options, upstream)
                actual = gradient(IMPLEMENTATIONS[impl], d, options, upstream)
                scale = np.abs(expected).max()
                tolerance = 2e-6 if dtype == np.float32 else 1e-13
                error_of = np.abs(actual - expected).max()
                assert error_of <= tolerance * scale, (str(options), same)
