"""The TensorFlow op library, loaded once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from tailops import _kernels
from tailops._tensorflow.version import require_tensorflow

require_tensorflow(tf.__version__)


def load(name: str, loader: Callable[[str], Any]) -> Any:
    """A library that lies beside the kernels."""
    return loader(str(Path(_kernels.__file__).with_name(name)))


library: Any = load("libtailops_tensorflow.so", tf.load_op_library)
