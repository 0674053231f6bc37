"""Under `tf.distribute`, in processes of their own, which fail where something differs."""

from pathlib import Path

import pytest
from processes import run_script, run_workers
from quick import quick

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"


@pytest.mark.extended
def test_the_same_as_on_one_device():
    run_script(HERE / "mirrored.py", 4)


@pytest.mark.parametrize(
    "of", quick("2 replicas 2 losses", of=["2 replicas 2 losses", "4 replicas 99 losses"])
)
def test_training_as_on_one_device(of):
    run_script(HERE / "trained.py", *of.split()[::2])


@pytest.mark.parametrize("workers", quick(2, of=[2, 3]))
def test_several_processes(workers):
    """The example: on loopback, as close to one process as rounding allows, and only if asked."""
    printed = run_script(
        EXAMPLES / "two_workers.py", "--workers", workers, "--steps", 10
    ).splitlines()
    off = {}
    for line in printed[1:]:
        name, _, difference = line.partition(", off by ")
        off["synchronized=True" in name] = float(difference)
    assert off[True] < 1e-6
    assert off[False] > 1e-3


@pytest.mark.parametrize("replicas", quick(2, of=[2, 4]))
def test_metrics(replicas):
    run_script(HERE / "measured.py", replicas)


@pytest.mark.extended
def test_metrics_of_several_processes():
    run_workers(HERE / "measured.py", 0, count=3)
