"""What a window is in NumPy: the last errors, oldest first, and losses by their percentile."""

from collections import deque

import numpy as np
from oracle import compute_dtype, error_derivative, errors_of


class Remembered:
    """The last valid errors of a stream, in the dtype in which they are computed."""

    def __init__(self, size):
        self.errors = deque(maxlen=size)

    def add(self, y_true, y_pred, valid=None, error="absolute", epsilon=1e-3):
        """Those of a batch."""
        wide = compute_dtype(y_pred.dtype)
        d = y_pred.astype(wide) - (0 if error == "value" else y_true.astype(wide))
        e = errors_of(d, error, epsilon).ravel()
        self.errors.extend(e if valid is None else e[valid.ravel()])

    def threshold(self, p, method="floor"):
        """NumPy's percentile of them, or what the method says."""
        errors = np.array(self.errors)
        if method == "max_fraction":
            return p * errors.max()
        if method == "floor":
            has_nan = np.isnan(errors).any()
            rank = min(int(len(errors) * p), len(errors) - 1)
            return np.nan if has_nan else np.sort(errors)[rank]
        return np.quantile(errors, p, method=method)


def stream(rng, lengths, dtype, masked=False, nan=False):
    """Batches of these lengths: y_true, y_pred, the mask or None, and what is valid or None."""
    for n in lengths:
        y_true, y_pred = (rng.standard_normal(n).round(1).astype(dtype) for _ in range(2))
        mask = valid = rng.random(n) < 0.6 if masked else None
        if nan:
            gone = rng.random(n) < 0.3
            y_pred[gone] = np.nan
            valid = ~gone if valid is None else valid & ~gone
        yield y_true, y_pred, mask, valid


def oldest_first(window, written):
    """What a window holds, in the order in which it was written."""
    size, count = len(window), int(written)
    assert 0 <= count < 2 * size
    assert count == float(written)
    return window[:count] if count < size else np.roll(window, -(count - size))


def weighted(y_true, y_pred, t, options, valid=None):
    """Losses and gradients by y_pred of each element, for a threshold that is a constant."""
    wide = np.float64
    value = options.error == "value"
    d = y_pred.astype(wide) - (0 if value else y_true.astype(wide))
    e = errors_of(d, options.error, options.epsilon)
    kappa, s, beta = options.smoothing_factor, options.error_scale, options.beta
    if options.get_config().get("smoothing_unit") == "threshold":
        kappa = kappa / abs(t)
    with np.errstate(over="ignore", invalid="ignore"):
        h = 1 / (1 + np.exp(-2 * kappa * (e - t)))
        weight = 1 + s * h
        if options.gradient == "fixed_threshold":
            weight = weight + e * s * 2 * kappa * h * (1 - h)
        loss = beta * d * d + (1 - beta) * e * (1 + s * h)
    slope = 2 * beta * d + (1 - beta) * weight * error_derivative(d, options.error, options.epsilon)
    if valid is not None:
        loss, slope = (np.where(valid, x, 0) for x in (loss, slope))
    return loss, slope
