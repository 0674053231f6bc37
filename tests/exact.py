"""The gradient of DESIGN's formulas in multiple precision, as they stand: nothing is rearranged.

Of finite errors, with one threshold for all. What cancels is computed all the same, with digits
enough for what is left.
"""

import mpmath
import numpy as np
from oracle import error_derivative, errors_of, order_statistics, smoothing_at


def gradient(d, options, upstream):
    """Σ upstream·ℓ differentiated by d, a residual each, of a dtype that is computed in."""
    e = errors_of(d, options.error, options.epsilon)
    parts, t = order_statistics(e, options.percentile, options.method)
    with mpmath.workdps(100):
        κ, s = mpmath.mpf(float(smoothing_at(t, options))), mpmath.mpf(options.error_scale)
        errors, g = ([mpmath.mpf(float(x)) for x in of] for of in (e, upstream))
        distances = [κ * (x - mpmath.mpf(float(t))) for x in errors]
        h = [(1 + mpmath.tanh(x)) / 2 for x in distances]
        spikes = [
            s * x * κ / 2 * mpmath.sech(z) ** 2 for x, z in zip(errors, distances, strict=True)
        ]
        by_e = [u * (1 + s * x + spike) for u, x, spike in zip(g, h, spikes, strict=True)]
        by_t = -mpmath.fsum(u * spike for u, spike in zip(g, spikes, strict=True))
        for value, weight in parts:
            ties = np.flatnonzero(e == value)
            for i in ties:
                by_e[i] += by_t * mpmath.mpf(float(weight)) / len(ties)
        return np.array([float(x) for x in by_e]) * error_derivative(
            d.astype(np.float64), options.error, options.epsilon
        )
