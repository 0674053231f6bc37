"""Threads that cannot start are a Python exception, and the others are joined."""

import re

from processes import run_python

FEW_THREADS = """
import resource

import numpy as np

from tailops import kernels

x = np.random.default_rng(0).normal(size=1 << 22).astype(np.float32)
zeros = np.zeros_like(x)
loss, state = kernels.forward(zeros, x, reduction="mean")
one = np.ones((), np.float32)
slope = kernels.backward(one, zeros, x, state, reduction="mean")


def running():
    with open("/proc/self/status") as status:
        return int(status.read().split("Threads:")[1].split()[0])


calls = {
    "forward": lambda n: kernels.forward(zeros, x, reduction="mean", threads=n).loss,
    "backward": lambda n: kernels.backward(one, zeros, x, state, reduction="mean", threads=n),
    "select": lambda n: kernels.select(x, [0.5], threads=n),
}
def limit(more):
    with open("/proc/self/statm") as pages:
        used = int(pages.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))


before = running()
for name, call in calls.items():
    limit(256 << 20)
    try:
        call(4096)
    except RuntimeError as error:
        print(name, error)
    # What is compared next takes memory as well; and the stacks of threads are kept for others.
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    assert running() == before
    np.testing.assert_array_equal(call(2), call(1))
"""


def test_more_threads_than_the_system_gives():
    printed = run_python(FEW_THREADS, OPENBLAS_NUM_THREADS="1")
    said = r" threads=4096: the system has started \d+ and refuses more: .+\n"
    assert re.fullmatch(f"forward{said}backward{said}select{said}", printed), printed
