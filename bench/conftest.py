"""The other way of running the cases: `pytest bench`, a test for each contestant and each floor."""

import re
from typing import NamedTuple

import pytest

from bench import environment
from bench.case import Case, Trial
from bench.options import LARGEST, pattern, positive

environment.prepare()

CASES = pytest.StashKey[list[Case]]()


class Prepared(NamedTuple):
    """A case, and the same with its data."""

    case: Case
    trial: Trial


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `python -m bench run`."""
    group = parser.getgroup("bench", "which cases")
    nothing = re.compile("")
    group.addoption("--only", type=pattern, default=nothing, help="of the cases' names")
    group.addoption("--largest", type=positive, default=LARGEST, help="elements of a case")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anybody has asked TensorFlow for anything."""
    environment.set_threads()
    from bench import suites

    only, largest = (session.config.getoption(name) for name in ("--only", "--largest"))
    try:
        session.config.stash[CASES] = suites.cases(only, largest)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Who is timed is known before there is any data."""
    if "prepared" not in metafunc.fixturenames:
        return
    cases = metafunc.config.stash[CASES]
    pairs = [(case, who) for case in cases for who in (*case.floors, *case.who())]
    names = [f"{case.name} | {who}" for case, who in pairs]
    metafunc.parametrize(("prepared", "who"), pairs, indirect=["prepared"], ids=names)


class Last:
    """The case that was prepared last, which the next test is most often of."""

    def __init__(self) -> None:
        self.prepared: Prepared | None = None

    def get(self, case: Case) -> Prepared:
        """The case with its data; what was before is given back first."""
        if self.prepared is None or self.prepared.case != case:
            self.prepared = None
            self.prepared = Prepared(case, case.prepare())
        return self.prepared


@pytest.fixture(scope="session")
def last() -> Last:
    """As a fixture with a case as parameter, pytest would prepare it anew for each of its tests."""
    return Last()


@pytest.fixture
def prepared(request: pytest.FixtureRequest, last: Last) -> Prepared:
    """Once for all contestants of a case, which follow each other."""
    return last.get(request.param)
