"""The error kinds, and which settings go with which."""

from tailops import _kernels

VALUE = "value"
RESIDUALS = tuple(name for name in _kernels.ERRORS if name != VALUE)


def betas(error, *of):
    """Of these β, those that errors of the kind take: a value has no residual."""
    return [beta for beta in of if beta == 0 or error != VALUE]


def with_betas(*of):
    """Every error kind with each of its β."""
    return [(error, beta) for error in _kernels.ERRORS for beta in betas(error, *of)]
