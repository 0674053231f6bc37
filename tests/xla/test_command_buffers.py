"""Which handlers XLA may record in a command buffer, a CUDA graph: what they say when it asks."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

import tailops.ops  # noqa: F401, loads the handlers
from tailops import build_info
from tailops._build import XLA
from tailops._tensorflow.library import FOLDER

COMPILER = shutil.which(os.environ.get("CXX", "g++"))
# Those whose workspace XLA takes back as soon as they return would be replayed over others' memory.
HANDLERS = {
    "tailops_tail_loss": False,
    "tailops_tail_loss_grad": False,
    "tailops_select": False,
    "tailops_select_grad": True,
    "tailops_range_mean": False,
    "tailops_range_mean_grad": True,
}


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
@pytest.mark.skipif(
    not (build_info()["cuda"] and build_info()["xla"]), reason="built without CUDA or XLA"
)
def test_what_may_be_recorded(tmp_path):
    source = Path(__file__).with_name("command_buffers.cc")
    asking = tmp_path / "command_buffers.so"
    include = tf.sysconfig.get_include()
    subprocess.run(
        [COMPILER, "-std=c++17", "-shared", "-fPIC", "-isystem", include, source, "-o", asking],
        check=True,
    )
    ask = ctypes.CDLL(str(asking))
    handlers = ctypes.CDLL(str(FOLDER / XLA))
    said = {name: ask.traits_of(getattr(handlers, f"{name}_cuda")) for name in HANDLERS}
    recorded = ask.compatible()
    assert said == {name: recorded * may for name, may in HANDLERS.items()}
