"""What must hold for any data at all."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

finite = st.floats(-1e6, 1e6, width=32)
residual_arrays = arrays(np.float32, st.integers(1, 300), elements=finite)
percentiles = st.floats(1e-6, 1.0)
rank_rules = st.sampled_from([m for m in _kernels.METHODS if m != "max_fraction"])


def threshold(d, options):
    _, state = kernels.forward(np.zeros_like(d), d, options, reduction="mean")
    return state["threshold"][0]


@settings(max_examples=300, deadline=None)
@given(residual_arrays, percentiles, rank_rules, st.randoms(use_true_random=False))
def test_threshold_does_not_depend_on_order_or_path(d, p, method, random):
    options = TailOptions(percentile=p, method=method)
    shuffled = d[random.sample(range(len(d)), len(d))]
    t = threshold(d, options)
    assert t == threshold(shuffled, options)
    assert all(t == threshold(d, forced(options, path)) for path in _kernels.SELECTIONS)
    assert np.abs(d).min() <= t <= np.abs(d).max()


@settings(max_examples=300, deadline=None)
@given(residual_arrays, percentiles)
def test_rank_of_the_threshold(d, p):
    t, e = threshold(d, TailOptions(percentile=p)), np.abs(d)
    rank = min(int(len(d) * p), len(d) - 1)
    assert (e < t).sum() <= rank < (e <= t).sum()


@settings(max_examples=200, deadline=None)
@given(residual_arrays, percentiles)
def test_weights_lie_between_one_and_one_plus_scale(d, p):
    loss, _ = kernels.forward(np.zeros_like(d), d, TailOptions(percentile=p), reduction="none")
    e = np.abs(d).astype(np.float64)
    assert (loss >= e * (1 - 1e-6)).all()
    assert (loss <= 11 * e * (1 + 1e-6)).all()


@settings(max_examples=200, deadline=None)
@given(residual_arrays, percentiles, st.floats(0, 10))
def test_exact_gradient_of_a_common_shift_of_errors(d, p, κ):
    """Moving every error alike moves the threshold with them: Σ ∂L/∂e = Σ (1 + s·h)."""
    d = np.abs(d).astype(np.float64) / 1e3 + 1.0
    options = TailOptions(percentile=p, smoothing_factor=κ, error_scale=4.0)
    zeros = np.zeros_like(d)
    loss, state = kernels.forward(zeros, d, options, reduction="none")
    slope = kernels.backward(np.ones_like(d), zeros, d, state, options, reduction="none")
    np.testing.assert_allclose(slope.sum(), (loss / d).sum(), rtol=1e-9)
