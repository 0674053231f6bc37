"""What the virtual GPU has besides CUDA: settings, complaints, counts; see control.h."""

import contextlib
import ctypes
import functools
import json

# What they are where a test has not said otherwise: the fields of machine/settings.h.
DEFAULTS = {
    "races": 1,
    "initialisation": 1,
    "weak": 0,
    "stale": 0,
    "count": 0,
    "seed": 1,
    "resident": 4,
    "slice": 200,
    "split": 0,
    "steps": 0,
    "multiprocessors": 4,
    "dirty": 0,
    "delay_us": 0,
}

# Schedules that differ as much as they can: others' blocks between any two instructions, warps that
# split for no reason, and memory that is as weak, and as dirty, as it may be.
SCHEDULES = {
    "in_turn": {},
    "split_warps": {"split": 40, "resident": 12, "seed": 2},
    "weak_memory": {"weak": 1, "stale": 1, "resident": 16, "slice": 60, "dirty": 1, "seed": 3},
}


@functools.cache
def _library():
    """libcuda.so.1 where it is the virtual one, or None."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    if not hasattr(library, "virtual_gpu_set"):
        return None
    library.virtual_gpu_set.argtypes = [ctypes.c_char_p, ctypes.c_long]
    library.virtual_gpu_text.argtypes = [ctypes.c_char_p]
    library.virtual_gpu_edit.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p]
    for name in ("take_complaints", "take_counts", "take_coverage", "kernels", "text"):
        getattr(library, f"virtual_gpu_{name}").restype = ctypes.c_char_p
    return library


def is_here():
    """Whether this process has the virtual GPU's driver."""
    return _library() is not None


def change(**changed):
    """Some of the settings, until they are changed again."""
    for name, value in changed.items():
        if not _library().virtual_gpu_set(name.encode(), value):
            raise ValueError(f"the virtual GPU has no setting {name!r}")


@contextlib.contextmanager
def settings(**changed):
    """The settings within it; the defaults after it."""
    change(**changed)
    try:
        yield
    finally:
        change(**{name: DEFAULTS[name] for name in changed})


def take_complaints():
    """A list of all that was found wrong since the last time."""
    return _library().virtual_gpu_take_complaints().decode().splitlines()


def take_counts():
    """A dictionary for each launch since the last time, if `count` is set: see machine/counts.h."""
    return json.loads(_library().virtual_gpu_take_counts())


def finished_counts():
    """The same, when all that was enqueued has been done."""
    _library().cuCtxSynchronize()
    return take_counts()


def take_coverage():
    """Of each kernel the lines that were executed since the last time, if `count` is set."""
    return json.loads(_library().virtual_gpu_take_coverage())


def kernels():
    """The names of all kernels that are loaded."""
    return _library().virtual_gpu_kernels().decode().split()


def text(kernel):
    """The lines of the module that has the kernel; the first one has the index 1."""
    return ["", *_library().virtual_gpu_text(kernel.encode()).decode().splitlines()]


@contextlib.contextmanager
def edited(kernel, line, text):
    """The kernel with another text in a line; as it was, after it."""
    edit = _library().virtual_gpu_edit
    if not edit(kernel.encode(), line, text.encode()):
        raise ValueError(f"there is no kernel {kernel!r}")
    try:
        yield
    finally:
        edit(kernel.encode(), line, None)


def recover():
    """Makes the device work again after a fault."""
    _library().virtual_gpu_recover()
