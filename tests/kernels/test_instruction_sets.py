"""Every instruction set this machine runs: the same thresholds, sums within the contract."""

import numpy as np
import pytest
from families import residuals
from kinds import betas
from processes import run_python

from tailops import _kernels, kernels
from tailops._options import TailOptions, forced

SETS = _kernels.build_info()["instruction_sets"]


@pytest.fixture
def every_set():
    before = _kernels.instruction_set()
    yield SETS
    _kernels.set_instruction_set(before)


def results(d, options, reduction, selection):
    zeros = np.zeros_like(d)
    loss, state = kernels.forward(zeros, d, forced(options, selection), reduction=reduction)
    slope = kernels.backward(np.ones_like(loss), zeros, d, state, options, reduction=reduction)
    return loss, state, slope


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, "bfloat16"])
@pytest.mark.parametrize("error", _kernels.ERRORS)
@pytest.mark.parametrize("shape", [(1,), (7,), (130,), (3001,), (40_000,), (77, 5), (5, 300)])
def test_all_agree(every_set, shape, error, dtype):
    d = residuals("random", int(np.prod(shape)), dtype).reshape(shape)
    tolerance = {2: 1e-2, 4: 2e-6, 8: 1e-12}[d.dtype.itemsize]
    for axis in {None, 0}:
        for kappa in (1.0, 50.0):
            for reduction in ("per_sample", "mean"):
                for selection in ("auto", "sampled"):
                    beta = betas(error, 0.0, 0.2)[-1]
                    options = TailOptions(0.9, kappa, 5.0, beta, error, axis=axis)
                    found = []
                    for name in every_set:
                        _kernels.set_instruction_set(name)
                        found.append(results(d, options, reduction, selection))
                    expected = found[-1]
                    for loss, state, slope in found[:-1]:
                        for column in ("threshold", "lower", "upper", "lower_weight", "lower_ties"):
                            np.testing.assert_array_equal(state[column], expected[1][column])
                        for actual, wanted in ((loss, expected[0]), (slope, expected[2])):
                            wide = wanted.astype(np.float64)
                            scale = np.abs(wide).max()
                            np.testing.assert_allclose(
                                actual.astype(np.float64), wide, rtol=0, atol=tolerance * scale
                            )


def test_environment_variable():
    for name in SETS:
        printed = run_python(
            "from tailops import _kernels; print(_kernels.instruction_set())",
            TAILOPS_INSTRUCTION_SET=name,
        )
        assert printed.strip() == name


def test_unknown_instruction_set():
    with pytest.raises(ValueError, match="'mmx' is not one this machine runs"):
        _kernels.set_instruction_set("mmx")
    printed = run_python(
        """
        try:
            from tailops import _kernels
            _kernels.instruction_set()
        except ValueError as error:
            print(error)
        """,
        TAILOPS_INSTRUCTION_SET="mmx",
    )
    assert "TAILOPS_INSTRUCTION_SET='mmx': must be one of" in printed
    assert f"'{SETS[-1]}'" in printed
