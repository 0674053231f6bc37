"""Drops each barrier and fence from the compiled kernels, one at a time: which are noticed?

The compiler makes many instructions of one line of the source: a helper's is in each kernel that
calls it, and unrolled. A line is shown to be needed where one of them is noticed when missing;
where others are not, nothing follows that the helper's other callers do. Prints what came of each
line, and fails where nothing was noticed of one that nobody explains.
By `make virtual-gpu-mutate`; paths.py and selection_paths.py have the paths, mutations.py how.
"""

import argparse
import contextlib
import os
import re
import sys
from collections import Counter, defaultdict
from typing import NamedTuple

import virtual_gpu
from mutations import every_run, first_notice, ordering_lines
from ptx import place_of, source_of

from bench.gpu_report import kernel_name

# Lines that no launch path needs, and what does.
NEEDED_BY_OTHERS = {
    "column_forward.h: device::barrier();  // shared memory is free again": (
        "blocks with several tiles: those of more than 2^31 columns, or of tests/emulated_gpu"
    ),
    "descend.h: device::barrier();  // the next piece is counted in the same bins": (
        "a block that goes over more than 2^30 elements: a larger group whose bracket misses twice"
    ),
}


class Mutation(NamedTuple):
    """An instruction that was dropped, and what came of it."""

    kernel: str
    number: int
    kind: str
    outcome: str


@contextlib.contextmanager
def quiet():
    """What the virtual GPU says on stderr is what is looked for here."""
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def mutations_of(kernel, runs, most, show):
    """A Mutation for each that the kernel has."""
    for number, kind in ordering_lines(kernel):
        those = [one for one in runs if number in one.lines.get(kernel, ())]
        if not those:
            yield Mutation(kernel, number, kind, "not reached")
            continue
        notice = first_notice(kernel, number, "", those[:most])
        if show:
            print(f"    {number} {kind}: {notice}", flush=True)
        yield Mutation(kernel, number, kind, "noticed" if notice else "NOT NOTICED")


def print_lines(mutations):
    """What came of each line of the source; returns those that nobody needs, it seems."""
    by_place = defaultdict(list)
    for one in mutations:
        by_place[place_of(one.kernel, one.number)].append(one)
    unexplained = []
    for place, those in sorted(by_place.items()):
        counts = Counter(one.outcome for one in those)
        why = re.sub(r":\d+ +", ": ", place)
        needed = "noticed" in counts or NEEDED_BY_OTHERS.get(why)
        text = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
        print(f"{place}: {text}" + (f"; needed by {needed}" if isinstance(needed, str) else ""))
        if not needed:
            unexplained.append(place)
            for one in those:
                print(f"    {kernel_name(one.kernel)}: {one.kind}, {one.outcome}")
                print("    " + " < ".join(source_of(one.kernel, one.number)))
    return unexplained


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="", help="only kernels whose name has this in it")
    parser.add_argument("--types", nargs="+", default=[], help="of the elements, for all paths")
    parser.add_argument("--runs", type=int, default=8, help="launch paths tried for each, at most")
    parser.add_argument("--show", action="store_true", help="print by what each is noticed")
    arguments = parser.parse_args()
    if not virtual_gpu.is_here():
        sys.exit("this runs on the virtual GPU: make virtual-gpu-mutate")
    with quiet():
        runs = every_run(arguments.types)
    kernels = sorted({kernel for one in runs for kernel in one.lines})
    mutations = []
    for kernel in [kernel for kernel in kernels if arguments.kernel in kernel_name(kernel)]:
        with quiet():
            found = list(mutations_of(kernel, runs, arguments.runs, arguments.show))
        mutations += found
        counts = Counter((one.kind, one.outcome) for one in found)
        text = ", ".join(f"{n} {kind} {what}" for (kind, what), n in sorted(counts.items()))
        print(f"{kernel_name(kernel)}: {text or 'none'}", flush=True)
    print()
    unexplained = print_lines(mutations)
    if unexplained and not arguments.kernel:  # of all kernels: another one may need the line
        sys.exit("never noticed, and not explained: " + ", ".join(unexplained))


if __name__ == "__main__":
    main()
