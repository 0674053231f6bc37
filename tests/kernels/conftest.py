"""What the tests of the kernels share."""

import pytest

from tailops import _kernels


@pytest.fixture(params=_kernels.build_info()["instruction_sets"])
def instruction_set(request):
    """Each that this machine runs, in use."""
    before = _kernels.instruction_set()
    _kernels.set_instruction_set(request.param)
    yield request.param
    _kernels.set_instruction_set(before)
