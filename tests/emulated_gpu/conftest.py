"""The emulation, compiled once."""

import pytest
from emulation import Emulation
from planned import compile_plans, plans_of


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return Emulation.compile(tmp_path_factory.mktemp("emulation"))


@pytest.fixture
def emulated(library):
    return Emulation(library)


@pytest.fixture(scope="session")
def plans(tmp_path_factory):
    """The plans of calls, as `plans_of` gives them."""
    program = compile_plans(tmp_path_factory.mktemp("plans"))
    return lambda direction, *calls: plans_of(program, direction, calls)
