"""Range means where the sample misleads, and on any number of threads."""

import numpy as np
import pytest
import range_oracle
from families import FAMILIES, residuals, sampled_positions

from tailops import kernels

RANGES = [
    ("between", (0.9, 1)),
    ("between", (0, 0.9)),
    ("between", (0.1, 0.9)),
    ("between", (0.5, 0.501)),
    ("largest", (3.5, 0)),
    ("at_least", (np.inf, 700)),
    ("at_least", (1.5, 2000)),
]


@pytest.mark.usefixtures("instruction_set")
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seen", [1e6, -1e6, 0.1, np.inf, -np.inf])
def test_a_sample_that_misleads(seen, masked):
    for n in (5000, 50_000):
        rng = np.random.default_rng(n)
        values = rng.standard_normal(n).astype("float32")
        values[sampled_positions(n)] = seen
        mask = rng.random(n) < 0.8 if masked else None
        for kind, bounds in RANGES:
            means, weights = range_oracle.range_mean(values, bounds, kind, mask=mask)
            mean, state = kernels.range_mean_forward(values, bounds, kind, mask=mask, threads=2)
            np.testing.assert_allclose(mean, means[0], rtol=1e-5, atol=1e-5)
            gradient = kernels.range_mean_gradient(np.float32(1), values, state, mask=mask)
            np.testing.assert_allclose(gradient, weights, rtol=1e-6)


def test_a_sample_of_what_is_ignored():
    n = 50_000
    values = np.random.default_rng(0).standard_normal(n).astype("float32")
    mask = np.ones(n, bool)
    mask[sampled_positions(n)] = False
    values[~mask] = np.nan
    for kind, bounds in RANGES:
        means, weights = range_oracle.range_mean(values, bounds, kind, mask=mask)
        mean, state = kernels.range_mean_forward(values, bounds, kind, mask=mask)
        np.testing.assert_allclose(mean, means[0], rtol=1e-5, atol=1e-5)
        gradient = kernels.range_mean_gradient(np.float32(1), values, state, mask=mask)
        np.testing.assert_allclose(gradient, weights, rtol=1e-6)


@pytest.mark.parametrize(("seen", "others"), [(-1.0, 5.0), (9.0, 0.0)])
def test_a_small_sample_that_misleads(seen, others):
    """By which either the threshold or the least kept is looked for first, and is the wrong one."""
    for n in (200, 1000, 50_000):
        values = others + np.random.default_rng(n).random(n).astype("float32")
        values[sampled_positions(n, 64)] = seen
        for least in (10, 100):
            means, weights = range_oracle.range_mean(values, (3.0, least), "at_least")
            mean, state = kernels.range_mean_forward(values, (3.0, least), "at_least")
            np.testing.assert_allclose(mean, means[0], rtol=1e-5)
            gradient = kernels.range_mean_gradient(np.float32(1), values, state)
            np.testing.assert_allclose(gradient, weights, rtol=1e-6)


@pytest.mark.parametrize("ignored", [False, True])
def test_a_nan_that_the_sample_does_or_does_not_see(ignored):
    n = 50_000
    seen = set(sampled_positions(n))
    for at in (min(seen), next(i for i in range(n) if i not in seen)):
        values = np.random.default_rng(0).standard_normal(n).astype("float32")
        values[at] = np.nan
        mask = ~np.isnan(values) if ignored else None
        for kind, bounds in [*RANGES, ("between", (0, 1))]:
            mean, state = kernels.range_mean_forward(values, bounds, kind, mask=mask)
            gradient = kernels.range_mean_gradient(np.float32(1), values, state, mask=mask)
            assert np.isnan(mean) == (not ignored)
            assert np.isnan(gradient).all() == (not ignored)
            assert not ignored or gradient[at] == 0


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_number_of_threads_changes_no_bit(family, masked):
    for shape, axis in (((200_000,), None), ((3, 70_000), 1), ((3000, 40), 0), ((4000, 30), 1)):
        values = residuals(family, int(np.prod(shape)), "float32").reshape(shape)
        mask = np.random.default_rng(0).random(shape) < 0.7 if masked else None
        for kind, bounds in RANGES[:3] + RANGES[-1:]:
            call = {"axis": axis, "mask": mask}
            results = []
            for threads in (1, 2, 3, 4):
                mean, state = kernels.range_mean_forward(
                    values, bounds, kind, **call, threads=threads
                )
                upstream = np.full(mean.shape, 0.3, "float32")
                gradient = kernels.range_mean_gradient(
                    upstream, values, state, **call, threads=threads
                )
                results.append((mean.tobytes(), state.tobytes(), gradient.tobytes()))
            assert len(set(results)) == 1
