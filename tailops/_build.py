"""What this installation is made of: its libraries, and for whom there are some."""

import functools
from pathlib import Path
from typing import Any

from tailops import _kernels

# The libraries that depend on no Python lie beside the module, those of a minor version of
# TensorFlow in a folder of its own, tensorflow-2.21.
FOLDER = Path(_kernels.__file__).parent
OPS = "libtailops_tensorflow.so"
XLA = "libtailops_xla.so"
JAX = "libtailops_jax.so"


def minor(version: str) -> str:
    """The two numbers of a version that its C++ interface goes by: "2.21" of "2.21.0"."""
    return ".".join(version.split(".")[:2])


def tensorflow_folder(version: str) -> Path:
    """Where the libraries for this TensorFlow are, if there are any."""
    return FOLDER / f"tensorflow-{minor(version)}"


@functools.cache  # each call of the kernels on device arrays asks for the build information
def _tensorflows_with(library: str) -> tuple[str, ...]:
    names = (path.parent.name for path in FOLDER.glob(f"tensorflow-*/{library}"))
    numbers = (name.removeprefix("tensorflow-").split(".") for name in names)
    return tuple(".".join(each) for each in sorted(numbers, key=lambda each: [*map(int, each)]))


def build_info() -> dict[str, Any]:
    """What this installation of tailops was built with.

    Returns:
        A dictionary: `tailops`, its version; `tensorflow`, a list of the minor versions of
        TensorFlow that it has ops for, and `xla`, of those whose XLA it has kernels for; `jax` and
        `cuda` (whether kernels for these are included), with CUDA its `cuda_toolkit` and the
        `cuda_architectures`; `compiler`, the `instruction_set` that the CPU kernels use and the
        `instruction_sets` that they could use here; the environment variable
        TAILOPS_INSTRUCTION_SET chooses one.

    Example:
        >>> import tailops
        >>> tailops.build_info()["tailops"] == tailops.__version__
        True
    """
    return {
        "tensorflow": list(_tensorflows_with(OPS)),
        "xla": list(_tensorflows_with(XLA)),
        "jax": (FOLDER / JAX).exists(),
        **_kernels.build_info(),
    }
