"""Which TensorFlow there are ops for, and a clear error under any other.

TensorFlow's C++ interface changes with every minor version: a library built for one does not
load, or worse, under the next.
"""

from tailops._build import build_info, minor


def require_tensorflow(found: str) -> None:
    """Raises ImportError unless there are ops for the minor version of `found`."""
    built_for = build_info()["tensorflow"]
    if not built_for:
        raise ImportError("tailops was built without TensorFlow: only tailops.kernels, .cuda, .jax")
    if minor(found) not in built_for:
        raise ImportError(
            f"tailops was built for TensorFlow {', '.join(built_for)} and found TensorFlow "
            f"{found}. Build it for this one: "
            "pip install --force-reinstall --no-deps --no-binary tailops "
            "tailops; or, in its source folder, pip install --force-reinstall --no-deps ."
        )
