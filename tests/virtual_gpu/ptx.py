"""A kernel's text: where it is in its module's, and what it was compiled from."""

import functools
import linecache
import re
from pathlib import Path

import virtual_gpu


@functools.lru_cache(maxsize=8)
def lines_of(kernel):
    """The numbers of a kernel's lines in its module's text, and the text."""
    text = virtual_gpu.text(kernel)
    first = next(n for n, line in enumerate(text) if ".entry" in line and f" {kernel}(" in line)
    depth = 0
    for last in range(first, len(text)):
        depth += text[last].count("{") - text[last].count("}")
        if depth == 0 and "}" in text[last]:
            return range(first, last + 1), text
    raise ValueError(f"{kernel} has no end")


def source_of(kernel, number):
    """What a line was compiled from: `file.h:12`, then who called that, and so on to the kernel.

    Empty without nvcc's -lineinfo.
    """
    return [f"{Path(path).name}:{line}" for path, line in _chain(kernel, number)]


def place_of(kernel, number):
    """The innermost of these that is more than a name for an instruction, and our text there."""
    for path, line in _chain(kernel, number):
        text = linecache.getline(path, line).strip()
        if "csrc" in path and not re.search(r"void (barrier|fence)", text):
            return f"{Path(path).name}:{line}  {text}"
    return f"{kernel}:{number}"


def _chain(kernel, number):
    numbers, text = lines_of(kernel)
    place, callers = None, {}
    for n in range(numbers[0], number):
        # A place in a function that is inlined says where; that place then has a .loc of its own.
        if found := re.match(r"\s*\.loc\s+(\d+) ([1-9]\d*) (\d+)(.*inlined_at (.*))?", text[n]):
            place = " ".join(found.group(1, 2, 3))
            callers[place] = found[5]
    chain = []
    while place and len(chain) < 20:
        file, line, _ = place.split()
        chain.append((_files(kernel)[file], int(line)))
        place = callers.get(place)
    return chain


@functools.lru_cache(maxsize=8)
def _files(kernel):
    """The paths of a module's source files, by their numbers."""
    _, text = lines_of(kernel)
    names = (re.match(r'\s*\.file\s+(\d+) "([^"]+)"', line) for line in text)
    return {name[1]: name[2] for name in names if name}
