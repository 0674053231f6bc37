"""A problem on the GPU: as functions for `check` of problems.py, selections.py, range_means.py."""

import arrays
import numpy as np

from tailops import cuda, kernels
from tailops._options import forced


def on_device(problem):
    """Forward and backward of a loss; states are NumPy's."""
    y_true, y_pred = arrays.to_device(problem.y_true), arrays.to_device(problem.y_pred)
    mask = None if problem.mask is None else arrays.to_device(problem.mask)
    how = {"reduction": problem.reduction, "mask": mask}

    def forward():
        options = forced(problem.options, problem.selection)
        made = cuda.forward(y_true, y_pred, options, **how)
        forward.state = made.state
        state = arrays.to_host(made.state).view(kernels.STATE).reshape(-1)
        return arrays.to_host(made.loss), state

    def backward(upstream, _):
        arriving = arrays.to_device(upstream).reshape(tuple(problem.geometry.output_shape))
        made = cuda.backward(arriving, y_true, y_pred, forward.state, problem.options, **how)
        return arrays.to_host(made)

    return forward, backward


def _or_none(array):
    return None if array is None else arrays.to_device(array)


def selected_on_device(case):
    """Forward and, where there is a gradient, backward of a selection."""
    x = arrays.to_device(case.x)
    weights = _or_none(case.weights)

    def forward():
        made = cuda.select_forward(x, case.q, **case.how, weights=weights)
        forward.state = made.state
        return arrays.to_host(made.value), arrays.to_host(made.state)

    def backward(upstream, _):
        arriving = arrays.to_device(upstream)
        return arrays.to_host(cuda.select_backward(arriving, x, forward.state, axis=case.axis))

    return forward, None if case.x.dtype.kind in "iu" else backward


def averaged_on_device(case, *, bounds_too=False):
    """Forward and backward of a range mean; `bounds_too`: whether these are on the device."""
    values = arrays.to_device(case.values)
    mask, weights = _or_none(case.mask), _or_none(case.weights)
    bounds = arrays.to_device(np.array(case.bounds)) if bounds_too else case.bounds

    def forward():
        made = cuda.range_mean_forward(values, bounds, case.kind, case.axis, mask, weights=weights)
        forward.state = made.state
        return arrays.to_host(made.mean), arrays.to_host(made.state)

    def backward(upstream, _):
        arriving = arrays.to_device(upstream).reshape(case.shape_of_groups)
        made = cuda.range_mean_backward(arriving, values, forward.state, case.axis, mask)
        return arrays.to_host(made)

    return forward, backward
