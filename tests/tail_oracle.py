"""The mean of a tail in float64 NumPy, with weights, and the guarantee of TailMean."""

import math

import ml_dtypes
import numpy as np

# Of batches, 20,000 in all.
SIZES = (1, 600, 0, 7, 5000, 2, 1024, 13_366)


def itself(y_true, y_pred):  # noqa: ARG001
    """A loss whose values are the predictions."""
    return y_pred


def masses(n, p, weights=None):
    """Of ascending values: what of each lies in [p·n, n], as the contract says."""
    weights = np.ones(n) if weights is None else weights
    reached = np.cumsum(weights)
    start = p * reached[-1]
    whole = np.round(start)
    start = whole if abs(start - whole) <= 4 * np.spacing(start) else start
    return np.clip(reached - start, 0, weights)


def exact(values, p, weights=None):
    """The mean of the tail, and that of its magnitudes, in float64."""
    order = np.argsort(values, kind="stable")
    values = np.asarray(values)[order].astype(np.float64)
    mass = masses(len(values), p, None if weights is None else weights[order].astype(np.float64))
    share, values = mass[mass > 0] / math.fsum(mass), values[mass > 0]
    with np.errstate(invalid="ignore"):
        return tuple(
            math.fsum(part) if np.isfinite(part).all() else part.sum()
            for part in (share * values, share * np.abs(values))
        )


def require_guarantee(result, values, p, r, dtype="float32", weights=None, slack=2.0):
    mean, magnitude = exact(values, p, weights)
    info = ml_dtypes.finfo(dtype)
    if not np.isfinite(mean):
        np.testing.assert_equal(float(result), mean)
        return
    rounding = slack * float(info.eps) * magnitude + float(info.tiny)
    assert -rounding <= mean - float(result) <= r * magnitude + rounding, (mean, float(result), p)


def update_in_batches(metric, values, weights=None, sizes=SIZES):
    ends = np.cumsum(sizes)
    assert ends[-1] >= len(values)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = values[start:end]
        metric.update_state(
            np.zeros_like(part), part, None if weights is None else weights[start:end]
        )
