"""JAX in two processes on loopback, with an array that is sharded over both."""

import subprocess
import sys
from pathlib import Path

import pytest

from tailops import build_info

pytest.importorskip("jax")
if not build_info()["jax"]:
    pytest.skip("built without kernels for JAX", allow_module_level=True)

WORKER = Path(__file__).parent / "jax_worker.py"
COUNT = 2


@pytest.mark.extended
def test_the_same_as_in_one_process(monkeypatch):
    monkeypatch.syspath_prepend(WORKER.parents[2] / "examples")
    from two_workers import free_ports

    (port,) = map(str, free_ports(1))
    workers = [
        subprocess.Popen(
            [sys.executable, WORKER, port, str(number), str(COUNT)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(COUNT)
    ]
    try:
        printed = [worker.communicate(timeout=300)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    for worker, text in zip(workers, printed, strict=True):
        assert worker.returncode == 0, text
