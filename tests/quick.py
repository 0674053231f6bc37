"""Which cases of a test `make test` runs; `make test-all` runs the others too."""

import pytest


def in_turn(first, second, third):
    """Each of `first` with each of `second`, and with those the ones of `third` in turn.

    For a path that all share: each pair of values is there, not each three.
    """
    return [
        (one, other, third[(i + j) % len(third)])
        for i, one in enumerate(first)
        for j, other in enumerate(second)
    ]


def quick(*kept, of):
    """`of` as parameters, of which all but `kept` are extended."""
    unknown = [value for value in kept if value not in of]
    assert not unknown, f"{unknown}: not of {of}"
    return [
        value if value in kept else pytest.param(value, marks=pytest.mark.extended) for value in of
    ]
