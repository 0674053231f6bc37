"""Under `tf.distribute.MirroredStrategy`, in processes of their own: `mirrored.py` checks."""

import subprocess
import sys
from pathlib import Path

import pytest
from quick import quick

HERE = Path(__file__).parent


@pytest.mark.parametrize("replicas", quick(4, of=[2, 4]))
def test_the_same_as_on_one_device(replicas):
    done = subprocess.run(
        [sys.executable, HERE / "mirrored.py", str(replicas)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
