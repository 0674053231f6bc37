"""What is missing from the compiled kernels when a line of them is dropped: is it noticed?"""

import re
import time
from dataclasses import dataclass, field

import virtual_gpu
from on_device import on_device, selected_on_device
from paths import LOSS_PATHS, SELECTION_PATHS
from problems import check_against_cpu
from selections import check

# What orders memory, and nothing else, or next to nothing.
ORDERING = {
    "barrier": r"\s*bar(rier)?\.(cta\.)?sync\b",
    "barrier of lanes": r"\s*bar\.warp\.sync\b",
    "fence": r"\s*(membar|fence)\.",
}


@dataclass
class Run:
    """A launch path with one of its types; which lines of which kernels it executes."""

    name: str
    problem: object
    is_loss: bool
    lines: dict = field(default_factory=dict)
    seconds: float = 0.0

    def run(self):
        """Raises where a result is another than the CPU's."""
        if self.is_loss:
            check_against_cpu(self.problem, *on_device(self.problem))
        else:
            check(self.problem, *selected_on_device(self.problem))


def every_run():
    """Each path with its first type, the quickest first, and the lines that it executes."""
    runs = [
        Run(f"{path} of {family}", path.problem(path.dtypes[0], family), True)
        for path in LOSS_PATHS
        for family in ("random", "few_values")
    ]
    runs += [Run(str(path), path.case(path.dtypes[0]), False) for path in SELECTION_PATHS]
    with virtual_gpu.settings(count=1, races=0, initialisation=0):
        for one in runs:
            virtual_gpu.take_coverage()
            began = time.perf_counter()
            one.run()
            one.seconds = time.perf_counter() - began
            one.lines = {name: set(lines) for name, lines in virtual_gpu.take_coverage().items()}
            virtual_gpu.take_counts()
    return sorted(runs, key=lambda one: one.seconds)


def lines_of(kernel):
    """The numbers of a kernel's lines in its module's text, and the text."""
    text = virtual_gpu.text(kernel)
    first = next(n for n, line in enumerate(text) if ".entry" in line and f" {kernel}(" in line)
    last = next(n for n in range(first, len(text)) if text[n] == "}")
    return range(first, last + 1), text


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
    with virtual_gpu.settings(steps=300, **schedule):
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
