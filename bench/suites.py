"""What is measured: selection, the loss, its gradient, many groups; each over n, data and dtype."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench import baselines
from bench.inputs import DATA, TIED
from bench.match import Case, floor_of, play

SELECTION, FORWARD, GRADIENT = "selection", "loss", "loss and gradient"
GROUPS = "loss and gradient, many groups"
P99, MEDIAN = "one row, p99", "one row, median"
# Where what is not n is varied.
VARIED = 1_000_000
DTYPES = ("float64", "float16", "bfloat16")
# They sort, as tf.sort does, and take as long: up to this size, of random float32.
SORTS = ("keras.ops.quantile", "tfp.stats.percentile", "jnp.sort")

# Rows and columns, and the axis along which a threshold is.
SHAPES = {
    "1,000 rows of 1,000": ((1000, 1000), 1),
    "100,000 rows of 10": ((100_000, 10), 1),
    "1,000 columns of 1,000": ((1000, 1000), 0),
}
ROWS = {"1,000 rows of 1,000, median": 1000, "100,000 rows of 10, median": 10}


def cases() -> Iterator[Case]:
    """All, quick ones first."""
    for power in range(3, 8):
        yield Case(SELECTION, 10**power, shape=P99)
    yield Case(SELECTION, VARIED, shape=MEDIAN)
    for data in list(DATA)[1:]:
        yield Case(SELECTION, VARIED, data, shape=P99)
    for dtype in DTYPES:
        yield Case(SELECTION, VARIED, dtype=dtype, shape=P99)
    for shape in ROWS:
        yield Case(SELECTION, VARIED, shape=shape)
    for power in (2, 4, 6):
        yield Case(FORWARD, 10**power)
    for power in range(2, 8):
        yield Case(GRADIENT, 10**power)
    for data in list(DATA)[1:]:
        yield Case(GRADIENT, VARIED, data)
    for dtype in DTYPES:
        yield Case(GRADIENT, VARIED, dtype=dtype)
    for shape in SHAPES:
        yield Case(GROUPS, VARIED, shape=shape)


def run_case(case: Case, seconds: float) -> dict[str, Any]:
    """Its row of the results."""
    x = DATA[case.data](case.n).astype(case.dtype)
    return (_selection if case.what == SELECTION else _loss)(case, x, seconds)


def _present(case: Case, everybody: dict[str, Any]) -> dict[str, Any]:
    if case.n <= VARIED and (case.data, case.dtype) == ("random", "float32"):
        return everybody
    return {name: who for name, who in everybody.items() if name not in SORTS}


def _array(found: Any) -> np.ndarray:
    return np.asarray(found.numpy() if hasattr(found, "numpy") else found)


def _selection(case: Case, x: np.ndarray, seconds: float) -> dict[str, Any]:
    length = ROWS.get(case.shape, case.n)
    rows = x.reshape(-1, length)
    rank = baselines.rank_of(length) if case.shape == P99 else length // 2
    right = np.sort(rows, axis=1)[:, rank]

    def expected(found: Any) -> None:
        np.testing.assert_array_equal(_array(found[0]), right)

    everybody = _present(case, baselines.selections(rows, rank))
    return play(case, everybody, floor_of([rows], writes=False), expected, seconds)


def _loss(case: Case, residuals: np.ndarray, seconds: float) -> dict[str, Any]:
    shape, axis = SHAPES.get(case.shape, ((case.n,), None))
    gradient = case.what != FORWARD
    y_pred = residuals.reshape(shape)
    y_true = np.full_like(y_pred, 0)  # written: pages of zeros would all be one page
    everybody = _present(case, baselines.losses(y_true, y_pred, gradient, axis))
    expected = _expected(case, y_pred, axis)
    return play(case, everybody, floor_of([y_true, y_pred], writes=gradient), expected, seconds)


def _expected(case: Case, d: np.ndarray, axis: int | None) -> Callable[[Any], None]:
    """The loss in float64, and its gradient; of ties, what all of them have together."""
    value, slope = reference(d.astype(np.float64), axis)
    half = d.dtype.itemsize == 2
    tied = half or case.data in TIED

    def expected(found: Any) -> None:
        mean, *gradient = (_array(array).astype(np.float64) for array in found)
        np.testing.assert_allclose(mean, value, rtol=1e-2 if half else 1e-5)
        for of in gradient:
            if tied:
                total = (slope * np.sign(d)).sum()
                np.testing.assert_allclose((of * np.sign(d)).sum(), total, rtol=2e-2)
            else:
                atol = 1e-3 * np.abs(slope).max()
                np.testing.assert_allclose(of, slope, rtol=0, atol=atol)

    return expected


def reference(d: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The mean loss of residuals in float64, and its gradient, ties sharing the threshold's."""
    e = np.abs(d)
    along = 0 if axis is None else axis
    rank = baselines.rank_of(e.shape[along])
    t = np.take(np.partition(e, rank, axis=along), [rank], axis=along)
    kappa, scale = baselines.SMOOTHING_FACTOR, baselines.ERROR_SCALE
    h = 0.5 * (1 + np.tanh(kappa * (e - t)))
    through = scale * e * 2 * kappa * h * (1 - h)
    slope = 1 + scale * h + through
    ties = e == t
    slope -= ties * (through.sum(along, keepdims=True) / ties.sum(along, keepdims=True))
    return (e * (1 + scale * h)).mean(), np.sign(d) * slope / e.size
