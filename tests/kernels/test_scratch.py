"""What a process keeps of the memory that calls have worked in."""

import pytest
from processes import run_python

from tailops import _kernels

KEPT = _kernels.KEPT_SCRATCH_BYTES
CODE = """
    import ctypes, gc, sys, threading
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    import ml_dtypes
    import numpy as np
    from tailops import kernels
    from tailops._options import TailOptions, forced

    threads = int(sys.argv[1])
    rng = np.random.default_rng(0)
    one, columns = rng.standard_normal(600_000), rng.standard_normal((2_000, 300))

    def resident():
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):  # without pages of the libraries
                return int(line.split()[1]) * 1024

    def losses(x, axis, selection, ignore_nan):
        zeros = np.zeros_like(x)
        options = TailOptions(0.6, 3.0, axis=axis, ignore_nan=ignore_nan)
        how = {"reduction": "mean"}
        loss, state = kernels.forward(zeros, x, forced(options, selection), **how)
        kernels.backward(np.ones_like(loss), zeros, x, state, options, **how)

    def calls(together):
        together.wait()  # each thread has one, and all of them live until the end
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            for data, axis in ((one, None), (columns, 0), (columns, 1)):
                x = data.astype(dtype)
                for selection in ("auto", "sampled", "miss"):
                    for ignore_nan in (False, True):
                        losses(x, axis, selection, ignore_nan)
                kernels.select(x, [0.1, 0.5, 0.9], axis=axis)
        for dtype in ("int8", "int32"):
            kernels.select((one * 30).astype(dtype), [0.1, 0.5], method="lower")

    kernels.forward(one, one, TailOptions(0.9, 3.0))
    with ThreadPoolExecutor(threads) as pool:
        before = resident()
        together = threading.Barrier(threads)
        for done in [pool.submit(calls, together) for _ in range(threads)]:
            done.result()
        print(resident() - before)
"""


@pytest.mark.parametrize("threads", [1, 4])
def test_a_thread_keeps_a_bounded_amount(threads):
    """Over all types and all that memory is used for; some more is stacks and the C library's."""
    kept = int(run_python(CODE, str(threads), MALLOC_ARENA_MAX="1"))
    assert kept < threads * KEPT + (threads + 1) * (1 << 20), f"{kept / 2**20:.1f} MiB"
