"""`python -m tailops` says what this installation is made of, and what it lacks."""

import importlib
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from tailops import build_info

# Packages of one module.
TENSORFLOW = ("tensorflow", "tensorflow-cpu", "tensorflow-cpu-aws", "tf-nightly")


def _installed(*distributions: str) -> str | None:
    """The version of the first of them that is there."""
    for distribution in distributions:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return None


def _imports(module: str) -> str:
    """What keeps a module from being imported, or an empty string."""
    try:
        importlib.import_module(module)
    except Exception as error:  # whatever it is, it belongs into the report
        return f"{type(error).__name__}: {error}"
    return ""


def _tensorflow() -> tuple[str, str]:
    found = _installed(*TENSORFLOW)
    if found is None:
        return "not installed", "pip install tailops[tensorflow], or tailops[tensorflow-cpu]"
    if why := _imports("tailops._tensorflow.library"):
        return f"{found}: no ops", why
    from tailops._tensorflow.xla import missing_kernels

    if why := missing_kernels():
        return f"{found}: ops; no XLA", f"with jit_compile, plain TensorFlow ops stand in: {why}"
    return f"{found}: ops, XLA", ""


def _keras() -> tuple[str, str]:
    found = _installed("keras")
    if found is None:
        return "not installed", "it comes with TensorFlow; for JAX: pip install keras"
    import keras

    backend = f"{found} on {keras.backend.backend()}"
    why = _imports("tailops.losses")
    return (f"{backend}: no losses", why) if why else (f"{backend}: losses", "")


def _jax() -> tuple[str, str]:
    found = _installed("jax")
    if found is None:
        return "not installed", "pip install tailops[jax]"
    why = _imports("tailops.jax")
    return (f"{found}: no kernels", why) if why else (f"{found}: kernels", "")


def _gpu() -> tuple[str, str]:
    if not build_info()["cuda"]:
        return "built without CUDA", "a build where nvcc is found; see the documentation on GPUs"
    from tailops import cuda

    count = cuda.device_count()
    return f"{count} visible", "" if count else "no GPU, or no driver that this process can see"


CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "tensorflow": _tensorflow,
    "keras": _keras,
    "jax": _jax,
    "gpu": _gpu,
}


def main() -> None:
    """Prints the build information, and what of it works here, a line each."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    here = {
        "python": f"{sys.version.split()[0]}, {platform.platform()}",
        "numpy": version("numpy"),
    }
    for title, lines in (("Built", build_info()), ("Here", here)):
        print(title)
        for key, value in lines.items():
            print(f"{key:>20}  {', '.join(value) if isinstance(value, list) else value}")
    missing = []
    for name, check in CHECKS.items():
        state, how = check()
        print(f"{name:>20}  {state}")
        if how:
            missing.append(f"{name:>20}  {how}")
    print("Missing", *(missing or [f"{'nothing':>20}"]), sep="\n")


if __name__ == "__main__":
    main()
