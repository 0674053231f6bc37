"""Asks for the plans of calls, of a program that g++ compiles: plans/plans.cc."""

import subprocess
from dataclasses import dataclass

from emulation import COMPILER, HERE, SOURCES


@dataclass(frozen=True)
class Call:
    """What a plan depends on: never the data. The device is an H100's, unless it says otherwise."""

    shape: tuple[int, ...]
    axis: int | None = None
    reduction: str = "mean"
    dtype: str = "float32"
    percentile: float = 0.99
    gradient: str = "exact"
    selection: str = "auto"
    ignores: bool = False
    multiprocessors: int = 132
    shared_bytes: int = 227 << 10

    def line(self, direction):
        axis = "-" if self.axis is None else self.axis % len(self.shape)
        words = (
            direction, self.dtype, self.reduction, axis, self.percentile, self.gradient,
            self.selection, int(self.ignores), self.multiprocessors, self.shared_bytes,
        )  # fmt: skip
        return " ".join(map(str, words + self.shape))


@dataclass(frozen=True)
class SelectCall:
    """The same of a selection; of `length` elements, so many `outer` and `inner` times."""

    length: int
    outer: int = 1
    inner: int = 1
    dtype: str = "float32"
    method: str = "linear"
    count: int = 1
    on_host: bool = True
    weighted: bool = False
    multiprocessors: int = 132
    shared_bytes: int = 227 << 10

    def line(self, direction):
        words = (
            direction, self.dtype, self.method, self.count, int(self.on_host), int(self.weighted),
            self.multiprocessors, self.shared_bytes, self.outer, self.length, self.inner,
        )  # fmt: skip
        return " ".join(map(str, words))


@dataclass(frozen=True)
class RangeCall:
    """The same of a range mean: neither the kind of range nor its bounds decide."""

    length: int
    outer: int = 1
    inner: int = 1
    dtype: str = "float32"
    weighted: bool = False
    multiprocessors: int = 132
    shared_bytes: int = 227 << 10

    def line(self, direction):
        words = (
            direction, self.dtype, int(self.weighted), self.multiprocessors, self.shared_bytes,
            self.outer, self.length, self.inner,
        )  # fmt: skip
        return " ".join(map(str, words))


class Plan(dict):
    """A plan by the names that it prints; `text` is all of it."""

    def __init__(self, line):
        equal, self.text = line.split(" ", 1)
        self.equals_the_one_before = equal == "same"
        super().__init__(word.rsplit("=", 1) for word in self.text.split())

    @property
    def kernels(self):
        """The names of what it launches."""
        return {name for name, value in self.items() if "x" in value and "+" in value}

    @property
    def way(self):
        return self["way"]

    @property
    def launches(self):
        return int(self.get("launches", 0))

    def number(self, name):
        return float(self.get(name, 0))


def compile_plans(folder):
    """The program; it needs no GPU and no CUDA."""
    program = folder / "plans"
    sources = [
        HERE / "plans/plans.cc",
        *(SOURCES / f"call/{n}.cc" for n in ("geometry", "groups", "options", "quantile")),
    ]
    flags = ["-std=c++17", "-DTAILOPS_EMULATED", f"-I{SOURCES}", f"-I{HERE / 'emulation'}"]
    subprocess.run([COMPILER, *flags, *sources, "-o", program], check=True)
    return program


def plans_of(program, direction, calls):
    """The plans of calls: "forward", "backward", "select" or "range"."""
    lines = "".join(call.line(direction) + "\n" for call in calls)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    return [Plan(line) for line in done.stdout.splitlines()]


def in_words(plan):
    """The way that the groups go, and the number of launches."""
    return f"{plan.way} {plan.launches}"
