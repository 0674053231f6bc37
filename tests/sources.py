"""The C++ sources that tests compile for themselves."""

from pathlib import Path

SOURCES = Path(__file__).parents[1] / "csrc"


def of_the_cpu():
    """All that the CPU's kernels are made of, without a framework."""
    return sorted(
        file for room in ("core", "call", "cpu") for file in (SOURCES / room).rglob("*.cc")
    )
