"""Which TensorFlow this build belongs to, and a clear error under any other.

TensorFlow's C++ interface changes with every minor version: a library built for one does not
load, or worse, under the next.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tailops import _kernels

_DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tf-nightly")


def build_info() -> dict[str, Any]:
    """What this installation of tailops was built with.

    Returns:
        A dictionary: `tailops` and `tensorflow` versions, `compiler`, `cuda`, `xla` and `jax`
        (whether kernels for these are included), with CUDA its `cuda_toolkit` and the
        `cuda_architectures`, the `instruction_set` that the CPU kernels use
        and the `instruction_sets` that they could use here; the environment variable
        TAILOPS_INSTRUCTION_SET chooses one.

    Example:
        >>> import tailops
        >>> tailops.build_info()["tailops"] == tailops.__version__
        True
    """
    info: dict[str, Any] = _kernels.build_info()
    return info


def require_tensorflow(found: str, built_for: str | None = None) -> None:
    """Raises ImportError unless `found` has the minor version that tailops was built for."""
    built_for = built_for or build_info()["tensorflow"]
    if built_for == "none":
        raise ImportError("tailops was built without TensorFlow: only tailops.kernels, .cuda, .jax")
    if found.split(".")[:2] != built_for.split(".")[:2]:
        raise ImportError(
            f"tailops was built for TensorFlow {built_for} and found TensorFlow {found}. "
            "Rebuild it for this one, in its source folder: "
            "pip install --force-reinstall --no-deps ."
        )


def require_installed_tensorflow() -> None:
    """The same for the TensorFlow that is installed, without the seconds its import takes."""
    if build_info()["tensorflow"] == "none":
        return
    for distribution in _DISTRIBUTIONS:
        try:
            found = version(distribution)
        except PackageNotFoundError:
            continue
        require_tensorflow(found)
        return
