"""The kernels as JAX's custom calls: registered, and closed to derivatives of their own."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import jax

from tailops._build import build_info
from tailops.jax._requirements import load_library


def register(*targets: str) -> None:
    """Makes handlers of these names known to JAX, on every platform that the build is for.

    Args:
        targets: The names.
    """
    library = load_library()
    platforms = {"cpu": "host"}
    if build_info()["cuda"]:
        platforms["CUDA"] = "cuda"
    for target in targets:
        for platform, name in platforms.items():
            handler = jax.ffi.pycapsule(getattr(library, f"{target}_{name}"))
            jax.ffi.register_ffi_target(target, handler, platform=platform)


def varying_axes(array: Any) -> frozenset[Any]:
    """Over which axes of `shard_map` an array may differ, as far as JAX tracks that."""
    type_of = getattr(jax, "typeof", None)
    if type_of is None:  # JAX before 0.6 tracks nothing
        return frozenset()
    kind = type_of(array)
    manual = getattr(kind, "mat", None)
    found: frozenset[Any] = getattr(kind, "vma", frozenset()) if manual is None else manual.varying
    return found


def varying_as(arguments: Any, results: Any) -> Any:
    """A call's results as what differs wherever its arguments do: to JAX they do not.

    Args:
        arguments: In any structure.
        results: As well.
    """
    axes = frozenset().union(*map(varying_axes, jax.tree.leaves(arguments)))
    if not axes:
        return results
    names = tuple(axes)
    if hasattr(jax.lax, "pcast"):
        return jax.tree.map(lambda x: jax.lax.pcast(x, names, to="varying"), results)
    return jax.tree.map(lambda x: jax.lax.pvary(x, names), results)  # until JAX 0.8


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def undifferentiated(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments), whose derivative is an error."""
    return function(*arguments)


@undifferentiated.defjvp  # type: ignore[untyped-decorator]
def _no_derivative(*_: Any) -> NoReturn:
    raise NotImplementedError("What is fused has no second derivative.")


def _same(*arrays: Any) -> Any:
    return arrays


def undifferentiable(*arrays: Any) -> tuple[Any, ...]:
    """The same, of which a derivative is an error."""
    found: tuple[Any, ...] = undifferentiated(_same, *arrays)
    return found
