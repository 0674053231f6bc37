"""A clear error where JAX, or our side of it, is missing."""

from tailops._compatibility import build_info


def require_jax() -> None:
    """Raises ImportError without JAX, or where tailops was built without its kernels for it."""
    try:
        import jax.ffi  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"tailops.jax needs JAX 0.5 or newer: pip install tailops[jax] ({error})"
        ) from error
    if not build_info()["jax"]:
        raise ImportError(
            "tailops was built without kernels for JAX. Rebuild it, in its source folder: "
            "pip install --force-reinstall --no-deps . -C cmake.define.TAILOPS_JAX=ON"
        )
