"""The TensorFlow op library, loaded once."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from tailops._build import OPS, tensorflow_folder
from tailops._tensorflow.version import require_tensorflow

require_tensorflow(tf.__version__)

FOLDER: Path = tensorflow_folder(tf.__version__)
library: Any = tf.load_op_library(str(FOLDER / OPS))
