"""Numbers and tables as Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

Rows = Iterable[Sequence[str]]


def table(heads: Sequence[str], rows: Rows) -> str:
    """With numbers to the right of the first column."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def digits(value: float, of: int = 3) -> str:
    """So many significant digits, and never an exponent."""
    if value == 0 or value != value:
        return f"{value:g}"
    text = f"{float(f'{value:.{of}g}'):,.10f}".rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction}" if fraction else whole


def milliseconds(seconds: float) -> str:
    """With its unit, which is microseconds where few."""
    return f"{digits(seconds * 1e6)} µs" if seconds < 1e-4 else f"{digits(seconds * 1e3)} ms"


def multiple(value: float) -> str:
    """How many times as much."""
    return f"{digits(value)} ×"


def percent(value: float) -> str:
    """A change, with its sign."""
    return f"{100 * value:+.1f} %".replace("-", "−")


def head(result: dict[str, Any]) -> str:
    """Machine, versions, command and date."""
    machine, versions = result["machine"], result["versions"]
    of_machine = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['architecture']}, "
        f"{versions.get('instruction_set', '')}, {digits(machine['memory_gib'])} GiB"
    )
    names = ("tailops", "tensorflow", "keras", "numpy", "torch", "jax", "tensorflow-probability")
    found = ", ".join(f"{name} {versions[name]}" for name in names if name in versions)
    return (
        f"- machine: {of_machine} (`{machine['kind']}`)\n"
        f"- versions: {found}; Python {versions['python']}, {versions['compiler']}\n"
        f"- command: `{result['command']}`, {result['date']}\n"
    )
