"""The error kinds, and which settings go with which; the methods that are tried with all else."""

from quick import quick

from tailops import _kernels

VALUE = "value"
# NumPy's others differ from these in the rank alone; tests/kernels/test_rank.py has them all.
METHODS = ("floor", "lower", "higher", "nearest", "midpoint", "linear", "hazen", "max_fraction")
# One of each way to a threshold: an element, one between two, a part of the largest.
SOME_METHODS = ("floor", "linear", "max_fraction")
# What is the same for both types is tried with all methods in one of them.
TYPES_AND_METHODS = quick(
    *(("float32", method) for method in SOME_METHODS),
    of=[("float32", method) for method in METHODS]
    + [("float64", method) for method in SOME_METHODS],
)
RESIDUALS = tuple(name for name in _kernels.ERRORS if name != VALUE)


def betas(error, *of):
    """Of these β, those that errors of the kind take: a value has no residual."""
    return [beta for beta in of if beta == 0 or error != VALUE]


def with_betas(*of):
    """Every error kind with each of its β."""
    return [(error, beta) for error in _kernels.ERRORS for beta in betas(error, *of)]
