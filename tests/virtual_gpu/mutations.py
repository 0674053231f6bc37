"""What is missing from the compiled kernels when a line of them is dropped: is it noticed?"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import virtual_gpu
from on_device import averaged_on_device, on_device, selected_on_device
from paths import LOSS_PATHS, LossPath
from problems import check_against_cpu
from ptx import lines_of
from selection_paths import RANGE_PATHS, SELECTION_PATHS, RangePath, SelectionPath
from selections import check
from weighted import check_range_mean

# What orders memory, and nothing else, or next to nothing.
ORDERING = {
    "barrier": r"\s*bar(rier)?\.(cta\.)?sync\b",
    "barrier of lanes": r"\s*bar\.warp\.sync\b",
    "fence": r"\s*(membar|fence)\.",
}


@dataclass
class Run:
    """A launch path with one of its types; which lines of which kernels it executes.

    `run` raises where a result is another than it has to be. `millions`: of instructions of warps
    that its longest launch takes.
    """

    name: str
    run: Callable[[], None]
    lines: dict = field(default_factory=dict)
    millions: float = 15.0


def measure(one):
    """Finds out what a run executes."""
    with virtual_gpu.settings(count=1, races=0, initialisation=0):
        virtual_gpu.take_coverage()
        virtual_gpu.take_counts()
        one.run()
        one.lines = {name: set(lines) for name, lines in virtual_gpu.take_coverage().items()}
        counts = virtual_gpu.take_counts()
    one.millions = max(launch["warp_instructions"] for launch in counts) / 1e6
    return one


def every_run(types=()):
    """Each path with those of its types that are asked for, or its first; the shortest first."""
    runs = []

    def add(paths, on, check_on, make, families):
        for path in paths:
            for dtype in [dtype for dtype in path.dtypes if dtype in types] or path.dtypes[:1]:
                for family in families:
                    problem = make(path, dtype, *family)
                    name = ", ".join((str(path), dtype, *family))
                    runs.append(Run(name, lambda of=problem: check_on(of, *on(of))))

    families = (("random",), ("few_values",))
    add(LOSS_PATHS, on_device, check_against_cpu, LossPath.problem, families)
    add(SELECTION_PATHS, selected_on_device, check, SelectionPath.case, [()])
    add(RANGE_PATHS, averaged_on_device, check_range_mean, RangePath.case, families)
    return sorted(map(measure, runs), key=lambda one: one.millions)


def ordering_lines(kernel):
    """(number, kind) of each line of the kernel that orders memory."""
    numbers, text = lines_of(kernel)
    for number in numbers:
        for kind, pattern in ORDERING.items():
            if re.match(pattern, text[number]):
                yield number, kind


def noticed(one, **schedule):
    """By what a run shows that something is wrong, or an empty string."""
    virtual_gpu.take_complaints()
    # Warps that split take more instructions, though not so many: what goes on is in a loop.
    with virtual_gpu.settings(steps=1 + round(20 * one.millions), **schedule):
        try:
            one.run()
            found = ""
        except AssertionError:
            found = "another result"
        except Exception as error:  # whatever comes of it, it is noticed
            found = str(error).splitlines()[0]
    virtual_gpu.recover()
    complaints = virtual_gpu.take_complaints()
    return re.sub(r" in _Z.*", "", complaints[0]) if complaints else found


def first_notice(kernel, number, text, runs):
    """By what it is noticed that the line says `text` instead, and by which run; or None."""
    with virtual_gpu.edited(kernel, number, text):
        for one in runs:
            for name, schedule in virtual_gpu.SCHEDULES.items():
                if found := noticed(one, **schedule):
                    return f"{found} ({one.name}, {name})"
    return None
