"""JAX in two processes on loopback, with an array that is sharded over both."""

import os
from pathlib import Path

import pytest
from processes import run_together

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
    commands = [(WORKER, port, number, COUNT) for number in range(COUNT)]
    run_together(commands, [os.environ] * COUNT)
