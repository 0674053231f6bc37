"""Peak memory of a call: what the process grows by, as Linux counts it."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def _kib(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise OSError(f"{_STATUS} has no {field}")


def measured(call: Callable[[], Any]) -> tuple[Any, float | None]:
    """What the call returned, and by how many MiB the resident set grew at most.

    What the C library had kept of earlier calls is given back first. None where Linux does not say.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        before = _kib("VmRSS")
        _CLEAR.write_text(_RESET_PEAK)
    except (AttributeError, OSError):
        return call(), None
    found = call()
    return found, max(0, _kib("VmHWM") - before) / 1024
