"""Random problems for the CUDA kernels, and what they must give: on the emulation and on a GPU."""

from dataclasses import dataclass, field, replace

import ml_dtypes
import numpy as np
import oracle
from families import EXTREME_FAMILIES, FAMILIES, residuals
from kinds import VALUE, betas

from tailops import _kernels, kernels
from tailops._options import TailOptions

TOLERANCE = {"float64": 1e-12, "float32": 2e-6, "float16": 1e-3, "bfloat16": 8e-3}
IGNORED_VALUE = -7.0
# All of the state but a sum, whose order differs.
EXACT_STATE = [name for name in kernels.STATE.names if name != "threshold_gradient"]


@dataclass
class Problem:
    """Inputs, options, and what to ignore."""

    y_true: np.ndarray
    y_pred: np.ndarray
    options: TailOptions = field(default_factory=TailOptions)
    reduction: str = "mean"
    mask: np.ndarray | None = None
    selection: str = "auto"

    @property
    def geometry(self):
        return _kernels.Geometry(list(self.y_pred.shape), self.options.axis, self.reduction)

    @property
    def valid(self):
        return oracle.valid_elements(self.y_true, self.y_pred, self.options, self.mask)

    def __str__(self):
        return (
            f"{self.y_pred.dtype}{self.y_pred.shape} {self.options} {self.reduction} "
            f"{self.selection} masked: {self.mask is not None}"
        )


def truth(problem, upstream):
    """The oracle's answer."""
    p = problem
    return oracle.tail_loss(p.y_true, p.y_pred, p.options, p.reduction, upstream, p.mask)


def assert_close(actual, expected, dtype, what, scale=0.0):
    """Relative to the largest element: a gradient is a vector; or to `scale`."""
    actual, expected = np.asarray(actual).astype(np.float64), np.asarray(expected, np.float64)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected), err_msg=what)
    info = ml_dtypes.finfo(dtype)
    with np.errstate(all="ignore"):
        beyond = np.abs(expected) > float(info.max)
        expected = np.where(beyond, np.copysign(np.inf, expected), expected)
    infinite = np.isinf(expected)
    np.testing.assert_array_equal(actual[infinite], expected[infinite], err_msg=what)
    finite = np.isfinite(expected)
    scale = np.max(np.abs(expected[finite]), initial=scale)
    allowed = TOLERANCE[np.dtype(dtype).name] * scale + float(info.smallest_subnormal)
    assert np.max(np.abs(actual[finite] - expected[finite]), initial=0) <= allowed, what


def check(problem, forward, backward, seed=0):
    """Whether thresholds are exact, and loss and gradient within the contract.

    Args:
        problem: What to compute.
        forward: A function that returns loss and state.
        backward: A function of upstream and state that returns the gradient.
        seed: Of the upstream gradient.
    """
    what = f"{problem} seed {seed}"
    rng = np.random.default_rng(seed)
    dtype = problem.y_pred.dtype
    upstream = rng.uniform(0.5, 2, problem.geometry.output_shape).astype(dtype)
    expected = truth(problem, upstream)
    loss, state = forward()
    valid = problem.valid.sum()
    np.testing.assert_array_equal(state["valid"].sum(), valid, err_msg=f"valid of {what}")
    thresholds = state["threshold"].astype(expected.thresholds.dtype)
    np.testing.assert_array_equal(thresholds, expected.thresholds, err_msg=f"threshold of {what}")
    assert_close(loss, expected.loss, dtype, f"loss of {what}", expected.loss_scale)
    gradient = np.asarray(backward(upstream, state))
    assert_close(gradient, expected.gradient, dtype, f"gradient of {what}", expected.gradient_scale)
    assert not np.any(gradient[~problem.valid].astype(np.float64)), f"ignored, in {what}"
    for name in ("lower_weight", "upper_weight", "lower_ties", "upper_ties"):
        assert np.isfinite(state[name]).all(), f"{name} of {what}"


def assert_same_state(state, on_cpu, what):
    """Bit for bit, where anything counts; a sum apart."""
    np.testing.assert_array_equal(state["valid"], on_cpu["valid"], err_msg=what)
    some = on_cpu["valid"] != 0
    for name in EXACT_STATE:
        np.testing.assert_array_equal(
            state[name][some], on_cpu[name][some], err_msg=f"{name}, {what}"
        )


def check_against_cpu(problem, forward, backward):
    """Whether state, loss and gradient are those of the CPU kernels; arguments as for `check`."""
    p, what = problem, str(problem)
    how = {"reduction": p.reduction, "mask": p.mask}
    on_cpu = kernels.forward(p.y_true, p.y_pred, p.options, **how)
    dtype, shape = p.y_pred.dtype, on_cpu.loss.shape
    upstream = np.random.default_rng(0).uniform(0.5, 2, shape).astype(dtype)
    expected = kernels.backward(upstream, p.y_true, p.y_pred, on_cpu.state, p.options, **how)
    # What sums of numbers of both signs are relative to.
    scales = truth(p, upstream) if p.options.error == VALUE else oracle.Truth(None, None, None)
    loss, state = forward()
    assert_same_state(state, on_cpu.state, what)
    for name in EXACT_STATE:
        np.testing.assert_array_equal(state[name][state["valid"] == 0], 0.0, err_msg=name)
    slopes = on_cpu.state["threshold_gradient"]
    # A sum in float64, that may be beyond what the elements' type has.
    initial = max(1, scales.slope_scale)
    largest = np.max(np.abs(slopes), initial=initial, where=np.isfinite(slopes))
    of_state = state["threshold_gradient"] / largest
    assert_close(of_state, slopes / largest, dtype, f"threshold_gradient of {what}")
    assert_close(loss, on_cpu.loss, dtype, f"loss of {what}", scales.loss_scale)
    gradient = np.asarray(backward(upstream, state))
    assert_close(gradient, expected, dtype, f"gradient of {what}", scales.gradient_scale)
    np.testing.assert_array_equal(gradient[~p.valid].astype(np.float64), 0.0, err_msg=what)


RULES = ("value", "nan", "mask")


def with_missing(shape, rule, options, reduction, valid, dtype=np.float32):
    """A problem without some of its elements; what they hold is absurd, so that a trace shows."""
    y_true, y_pred = with_residuals("few_values", shape, dtype)
    mask, ignoring = None, {}
    y_pred[~valid] = np.nan
    if rule == "value":
        ignoring["ignore_value"] = IGNORED_VALUE
        y_true[~valid] = IGNORED_VALUE
    elif rule == "nan":
        ignoring["ignore_nan"] = True
    else:
        mask = valid
    return Problem(y_true, y_pred, replace(options, **ignoring), reduction, mask)


def with_residuals(family, shape, dtype):
    """Targets are multiples of a quarter, so that residuals tie as the family made them."""
    n = int(np.prod(shape))
    d = residuals(family, n, np.float64)
    y_true = np.random.default_rng(n).integers(-2, 3, n) / 4
    with np.errstate(over="ignore"):
        return y_true.reshape(shape).astype(dtype), (y_true + d).reshape(shape).astype(dtype)


def random_shape(rng, most):
    kind = rng.integers(7)
    size = [70, most, most, most, most, most, 1][kind]
    n = int(rng.integers(1, size + 1))
    if kind in (0, 1, 6):
        return (n,)
    if kind == 2:
        width = int(rng.integers(1, 60))
        return (max(1, n // width), width)
    if kind == 3:
        return (7, max(1, n // 35), 5)
    return (2, max(1, n // 2)) if kind == 4 else (max(1, n // 3), 3)


DTYPES = ("float32", "float32", "float64", "float16", "bfloat16")


def random_problem(rng, most=3000, dtypes=DTYPES):
    """A problem of at most about so many elements."""
    shape = random_shape(rng, most)
    dtype = np.dtype(str(rng.choice(dtypes)))
    family, error = str(rng.choice([*FAMILIES])), str(rng.choice(_kernels.ERRORS))
    y_true, y_pred = with_residuals(family, shape, dtype)
    problem = Problem(
        y_true,
        y_pred,
        TailOptions(
            percentile=float(rng.choice([0.01, 0.3, 0.5, 0.9, 0.97, 1.0])),
            smoothing_factor=float(rng.choice([0.0, 1.0, 7.0, 100.0])),
            error_scale=3.0,
            beta=float(rng.choice(betas(error, 0.0, 0.3, 1.0))),
            error=error,
            method=str(rng.choice(_kernels.METHODS)),
            gradient=str(rng.choice(_kernels.GRADIENTS)),
            axis=None if rng.random() < 0.5 else int(rng.integers(len(shape))),
            epsilon=0.3,
            smoothing_unit=str(rng.choice(_kernels.SMOOTHING_UNITS)),
        ),
        str(rng.choice(_kernels.REDUCTIONS)),
        selection=str(rng.choice(_kernels.SELECTIONS)),
    )
    ignoring = {}
    share = rng.choice([0.0, 0.0, 0.3, 0.9, 1.0])
    for kind in rng.permutation(["mask", "nan", "value"])[: rng.integers(0, 3)]:
        ignored = rng.random(shape) < share
        if kind == "mask":
            problem.mask = ~ignored
        elif kind == "nan":
            ignoring["ignore_nan"] = True
            target = problem.y_true if rng.random() < 0.5 else problem.y_pred
            target[ignored] = np.nan
        elif error != VALUE:
            ignoring["ignore_value"] = IGNORED_VALUE
            problem.y_true[ignored] = IGNORED_VALUE
    problem.options = replace(problem.options, **ignoring)
    if rng.random() < 0.05:
        problem.y_pred.flat[rng.integers(problem.y_pred.size)] = np.nan
    return problem


def of_values(problem):
    """The same of the residuals as values. The targets are NaN: a trace of them would show."""
    p = problem
    ignored = p.options.ignore_value is not None
    with np.errstate(all="ignore"):
        values = (p.y_pred - p.y_true).astype(p.y_pred.dtype)
    return replace(
        p,
        y_true=np.full_like(values, np.nan),
        y_pred=values,
        options=replace(p.options, error=VALUE, beta=0.0, ignore_value=None),
        mask=p.valid if ignored else p.mask,
    )


def extreme(name, n, dtype):
    return residuals(name, n, dtype)


EVERY_FAMILY = [*FAMILIES, *EXTREME_FAMILIES]
