"""Whether a graph is compiled by XLA, and whether the fused ops are there when it is."""

import functools
import os
import warnings

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from tailops._build import XLA, build_info
from tailops._tensorflow.library import FOLDER

# An environment variable; "off" acts as a build without XLA.
_SWITCH = "TAILOPS_XLA"


def _switched_off() -> bool:
    value = os.environ.get(_SWITCH, "on")
    if value not in {"on", "off"}:
        raise ValueError(f"environment variable {_SWITCH}={value!r}: must be 'on' or 'off'")
    return value == "off"


@functools.cache
def missing_kernels() -> str:
    """Loads the XLA kernels; what keeps them from it, or an empty string."""
    if _switched_off():
        return f"{_SWITCH}=off"
    if not (FOLDER / XLA).exists():
        return f"it was built without it for TensorFlow {tf.__version__}"
    try:
        tf.load_library(str(FOLDER / XLA))
    except (tf.errors.OpError, OSError) as error:
        return f"its library does not load: {error}"
    return ""


def _missing() -> str:
    """Why there is no XLA here, or an empty string."""
    if not build_info()["cuda"] and tf.config.list_logical_devices("GPU"):
        return "TensorFlow compiles for a GPU and tailops was built without CUDA"
    return missing_kernels()


def load_kernels() -> None:
    """Makes the kernels known to XLA, where the build has them."""
    missing_kernels()


@functools.cache
def _warn(reason: str) -> None:
    warnings.warn(
        f"tailops has no XLA support here ({reason}): its ops run as plain TensorFlow ones, "
        "which sort the batch, wherever jit_compile is on.",
        RuntimeWarning,
        stacklevel=3,
    )


def is_compiling() -> bool:
    """Whether XLA is going to compile what is traced now."""
    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))


def must_fall_back() -> bool:
    """Whether it is, and has no kernel for it; warns once."""
    if not is_compiling():
        return False
    reason = _missing()
    if reason:
        _warn(reason)
    return bool(reason)
