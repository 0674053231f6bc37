"""The kernels as JAX's custom calls: registered, and closed to derivatives of their own."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import jax

from tailops._build import build_info
from tailops.jax._requirements import load_library


def register(*targets: str) -> None:
    """Makes handlers of these names known to JAX, on every platform that the build is for."""
    library = load_library()
    platforms = {"cpu": "host", "CUDA": "cuda"} if build_info()["cuda"] else {"cpu": "host"}
    for target in targets:
        for platform, name in platforms.items():
            handler = jax.ffi.pycapsule(getattr(library, f"{target}_{name}"))
            jax.ffi.register_ffi_target(target, handler, platform=platform)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def undifferentiated(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), whose derivative is an error."""
    return function(*arguments)


@undifferentiated.defjvp  # type: ignore[untyped-decorator]
def _no_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("What is fused has no second derivative.")
