"""Which TensorFlow this build belongs to, and a clear error under any other.

TensorFlow's C++ interface changes with every minor version: a library built for one does not
load, or worse, under the next.
"""

from importlib.metadata import PackageNotFoundError, version

from tailops._build import build_info

_DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tf-nightly")


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
