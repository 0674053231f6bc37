"""A clear error where JAX, or our side of it, is missing or does not fit."""

import ctypes
import re
from pathlib import Path

from tailops._build import FOLDER, JAX, build_info

_REBUILD = "Rebuild it, in its source folder: pip install --force-reinstall --no-deps ."


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
            f"tailops was built without kernels for JAX. {_REBUILD} -C cmake.define.TAILOPS_JAX=ON"
        )


def _installed_interface() -> tuple[int, int]:
    """The version of XLA's typed FFI that the installed jaxlib has, from its own header."""
    import jax

    header = (Path(jax.ffi.include_dir()) / "xla/ffi/api/c_api.h").read_text()
    found = re.findall(r"#define XLA_FFI_API_(?:MAJOR|MINOR) (\d+)", header)
    return int(found[0]), int(found[1])


def load_library() -> ctypes.CDLL:
    """The handlers; ImportError if they are built for an interface that jaxlib does not have.

    To register them nevertheless would keep JAX itself from starting.
    """
    library = ctypes.CDLL(str(FOLDER / JAX))
    built = tuple((ctypes.c_int * 2).in_dll(library, "tailops_interface_version"))
    installed = _installed_interface()
    if built[0] != installed[0] or built[1] > installed[1]:
        raise ImportError(
            "tailops was built for version {}.{} of XLA's interface, and the installed jaxlib has "
            "{}.{}. ".format(*built, *installed)
            + _REBUILD
        )
    return library
