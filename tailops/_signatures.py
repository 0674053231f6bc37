"""Signatures and "Args:" sections that are made, not copied.

A function that takes options by their names has `**options` in its signature, typed as a TypedDict:
that is what static checkers read. What `inspect.signature` and `help` show is made here, when the
function is defined: the parameters in place of `**options`, and in its docstring, in place of a
line that begins with `...:`, one for each parameter that has none there.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"^( *)\.\.\.: .*\n", re.MULTILINE)
_WIDTH = 100


def expand(function: Any, parameters: Iterable[inspect.Parameter]) -> None:
    """Shows these parameters in place of `**options`, but those that the function has itself."""
    signature = inspect.signature(function)
    own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    positional = [p for p in own if p.kind is not p.KEYWORD_ONLY]
    by_name = [p for p in own if p.kind is p.KEYWORD_ONLY]
    made = [p for p in parameters if p.name not in signature.parameters]
    shown = signature.replace(parameters=[*positional, *made, *by_name])
    function.__signature__ = shown
    # Also for what reads these: of `**options` there would be a type that only checkers import.
    function.__annotations__ = {
        **{name: p.annotation for name, p in shown.parameters.items() if name != "self"},
        "return": signature.return_annotation,
    }


def describe(target: Any, parameters: Iterable[str], texts: Mapping[str, str]) -> None:
    """Writes the docstring's lines for these parameters; KeyError if there is no text for one."""
    if sys.flags.optimize > 1:  # python -OO: there are no docstrings
        return
    found = _PLACEHOLDER.search(target.__doc__)
    if found is None:
        raise ValueError(f"{target.__qualname__}: no line with `...:` in its docstring")
    indent = found.group(1)
    before, after = target.__doc__[: found.start()], target.__doc__[found.end() :]
    # A section ends with an empty line.
    section = before[before.rindex("Args:") :] + ("\n" + after).partition("\n\n")[0]
    there = set(re.findall(rf"^{indent}(\w+): ", section, re.MULTILINE))
    lines = [
        textwrap.fill(
            f"{name}: {texts[name]}",
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name in parameters
        if name not in there
    ]
    target.__doc__ = before + "\n".join(lines) + "\n" + after
