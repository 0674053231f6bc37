"""The TensorFlow op library, loaded once."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from tailops import _kernels
from tailops._compatibility import require_tensorflow

require_tensorflow(tf.__version__)

_PATH = Path(_kernels.__file__).with_name("libtailops_tensorflow.so")
library: Any = tf.load_op_library(str(_PATH))
