"""The state: one format, whatever array has it."""

import re

import numpy as np
import pytest

from tailops import _kernels, _state, kernels
from tailops._options import TailOptions

OPTIONS = TailOptions(0.8, 3.0, method="linear", axis=0)
SHAPE = (40, 3)


def test_every_column_is_explained():
    explained = re.findall(r"^- ([a-z_, ]+): ", _state.__doc__, re.MULTILINE)
    assert tuple(", ".join(explained).split(", ")) == _kernels.STATE_NAMES == kernels.STATE.names


@pytest.mark.parametrize("dtype", ["float64", "uint32"])
def test_other_arrays_have_the_same_bytes(dtype):
    y_true, y_pred = np.random.default_rng(0).standard_normal((2, *SHAPE))
    loss, state = kernels.forward(y_true, y_pred, OPTIONS)
    rows = state.view(dtype).reshape(3, -1)
    assert rows.shape == {"float64": _state.rows, "uint32": _state.words}[dtype](3)
    upstream = np.ones_like(loss)
    expected = kernels.backward(upstream, y_true, y_pred, state, OPTIONS)
    for given in (rows, np.asfortranarray(rows)):
        found = kernels.backward(upstream, y_true, y_pred, given, OPTIONS)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "state",
    [
        np.zeros(2, kernels.STATE),
        np.zeros((3, 1), kernels.STATE),
        np.zeros((3, _kernels.STATE_COLUMNS - 1)),
        np.zeros((_kernels.STATE_COLUMNS, 3)),
        np.zeros((3, _kernels.STATE_COLUMNS), np.float32),
        np.zeros((3, _kernels.STATE_COLUMNS), np.uint32),
    ],
)
def test_what_is_no_state(state):
    y = np.ones(SHAPE)
    message = rf"^state is \w+\(.*\): must be what forward.* float64\(3, {_kernels.STATE_COLUMNS}\)"
    with pytest.raises(ValueError, match=message):
        kernels.backward(np.ones(40), y, y, state, OPTIONS)
