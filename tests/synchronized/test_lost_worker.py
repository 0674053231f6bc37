"""A worker that dies in the middle: the framework ends the others, nothing waits for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# TensorFlow asks every 30 s after the others, three times, with 10 s for an answer.
MOST_SECONDS = 240


@pytest.mark.extended
def test_the_others_end(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(HERE.parents[1] / "examples")
    from two_workers import environments

    errors = [(tmp_path / f"{index}.txt").open("w+") for index in range(2)]
    workers = []
    for environment, output in zip(environments(2), errors, strict=True):
        workers.append(
            subprocess.Popen(
                [sys.executable, HERE / "endless.py"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
            )
        )
    try:
        for worker in workers:
            assert worker.stdout.readline().startswith("0 ")
        workers[1].kill()
        printed, _ = workers[0].communicate(timeout=MOST_SECONDS)
        assert workers[0].returncode not in (0, None), printed[-200:]
        errors[0].seek(0)
        assert "Unavailable" in errors[0].read()
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
