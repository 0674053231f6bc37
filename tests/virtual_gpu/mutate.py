"""Drops each barrier and fence from the compiled kernels, one at a time: which are noticed?

A table: of each kernel how many there are, how many of them some launch path executes, and how many
of these are noticed when they are missing. Then, one by one, those that are not, with the lines
around. By `make virtual-gpu-mutate`; paths.py has the launch paths, mutations.py how.
"""

import argparse
import contextlib
import os
import sys
from collections import Counter

import virtual_gpu
from mutations import every_run, first_notice, ordering_lines
from ptx import around, source_of

from bench.gpu_report import kernel_name


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
    """(kind, what came of it, where) for each."""
    for number, kind in ordering_lines(kernel):
        those = [one for one in runs if number in one.lines.get(kernel, ())]
        if not those:
            yield kind, "not reached", number
            continue
        notice = first_notice(kernel, number, "", those[:most])
        if show:
            print(f"    {number} {kind}: {notice}", flush=True)
        yield kind, "noticed" if notice else "NOT NOTICED", number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default="", help="only kernels whose name has this in it")
    parser.add_argument("--types", nargs="+", default=[], help="of the elements, for all paths")
    parser.add_argument("--runs", type=int, default=4, help="launch paths tried for each, at most")
    parser.add_argument("--share", default="1/1", help="1/2: the first of two shares of kernels")
    parser.add_argument("--show", action="store_true", help="print by what each is noticed")
    arguments = parser.parse_args()
    if not virtual_gpu.is_here():
        sys.exit("this runs on the virtual GPU: make virtual-gpu-mutate")
    with quiet():
        runs = every_run(arguments.types)
    kernels = sorted({kernel for one in runs for kernel in one.lines})
    which, of = map(int, arguments.share.split("/"))
    kernels = [k for k in kernels if arguments.kernel in kernel_name(k)][which - 1 :: of]
    totals, unnoticed = Counter(), []
    for kernel in kernels:
        with quiet():
            found = list(mutations_of(kernel, runs, arguments.runs, arguments.show))
        counts = Counter((kind, what) for kind, what, _ in found)
        totals.update(counts)
        unnoticed += [(kernel, *one) for one in found if one[1] != "noticed"]
        text = ", ".join(f"{n} {kind} {what}" for (kind, what), n in sorted(counts.items()))
        print(f"{kernel_name(kernel)}: {text or 'none'}", flush=True)
    print("\nin all: " + ", ".join(f"{n} {k} {w}" for (k, w), n in sorted(totals.items())))
    for kernel, kind, what, number in unnoticed:
        print(f"\n{kernel_name(kernel)}: {kind}, {what}")
        print("  " + " < ".join(source_of(kernel, number)))
        print("\n".join(f"      {line}" for line in around(kernel, number)))


if __name__ == "__main__":
    main()
