"""The emulation, compiled once."""

import pytest
from emulation import Emulation


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return Emulation.compile(tmp_path_factory.mktemp("emulation"))


@pytest.fixture
def emulated(library):
    return Emulation(library)
