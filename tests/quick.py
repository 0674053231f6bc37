"""Which cases of a test `make test` runs; `make test-all` runs the others too."""

import pytest


def quick(*kept, of):
    """`of` as parameters, of which all but `kept` are extended."""
    unknown = [value for value in kept if value not in of]
    assert not unknown, f"{unknown}: not of {of}"
    return [
        value if value in kept else pytest.param(value, marks=pytest.mark.extended) for value in of
    ]
