"""Arguments of the command lines."""

import argparse
import re

# No case has more elements: see bench/scaling.py.
LARGEST = 10**8


def positive(text: str) -> int:
    """A whole number from 1 on, also as 1e6."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number, at least 1")
    return int(value)


def pattern(text: str) -> re.Pattern[str]:
    """A regular expression."""
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f"{text!r}: must be a regular expression: {error}"
        ) from None
