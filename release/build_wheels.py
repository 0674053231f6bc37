"""Builds the wheels of a release into dist/: `make wheels`.

One build of the libraries, which depend on no Python: the kernels, CUDA's for all architectures,
JAX's, and the op libraries of every TensorFlow, whose headers come from its own wheel. Then, for
each Python that is there, its module and a wheel around it all.
"""

import argparse
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from matrix import (
    JAXLIB,
    NVCC,
    PYTHONS,
    ROOT,
    TENSORFLOWS,
    WHEELS,
    WORK,
    create_environment,
    find_python,
    pip,
    run,
)

# Those of the TensorFlow that is installed are loaded: no wheel of ours brings them.
LIBRARIES_OF_TENSORFLOW = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
# What a wheel must not exceed: many are downloaded over and over.
MEGABYTES = 40


def unpack(name: str, version: str, wanted: Callable[[str], bool]) -> Path:
    """A folder with some of the files of a package's wheel, whatever Python that is for."""
    folder = WORK / f"{name}-{version}"
    if not (folder / "complete").exists():
        downloads = WORK / "downloads"
        platforms = [f"--platform=manylinux{tag}_x86_64" for tag in ("2014", "_2_17", "_2_27")]
        asked = ["--no-deps", "--only-binary=:all:", "--python-version=3.11", *platforms]
        pip(Path(sys.executable), "download", *asked, "--dest", downloads, f"{name}=={version}")
        (wheel,) = downloads.glob(f"{name.replace('-', '_')}-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [file for file in archive.namelist() if wanted(file)])
        wheel.unlink()
        (folder / "complete").touch()
    return folder


def unpack_tensorflow(version: str) -> Path:
    """What ops are compiled and linked with."""

    def wanted(file: str) -> bool:
        base = Path(file).name
        return "/include/" in file or ".dist-info/" in file or base in LIBRARIES_OF_TENSORFLOW

    return unpack("tensorflow-cpu", version, wanted) / "tensorflow"


def build_environment(python: str, version: str) -> Path:
    """The pinned tools, for one Python."""
    interpreter = create_environment(WORK / f"python-{version}", python)
    pip(interpreter, "install", "-r", ROOT / "requirements/wheels.txt")
    return interpreter


def settings_of_environment(python: Path) -> dict[str, str]:
    """Tools of the environment first; times in archives are the last commit's."""
    commit = run("git", "log", "-1", "--format=%ct").strip()
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SOURCE_DATE_EPOCH": commit}


def build_libraries(python: Path, tensorflows: list[str], architectures: str) -> Path:
    """All but the Python module, installed into a folder."""
    folders = [unpack_tensorflow(TENSORFLOWS[minor]) for minor in tensorflows]
    ffi = unpack("jaxlib", JAXLIB, lambda file: "/include/xla/ffi/" in file) / "jaxlib/include"
    if shutil.which("nvcc") is None:
        pip(python, "install", NVCC)
    environment = settings_of_environment(python)
    build, installed = WORK / "cmake", WORK / "libraries"
    run(
        "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        f"-DSKBUILD_PROJECT_VERSION={project_version()}",
        f"-DPython_EXECUTABLE={python}", "-DTAILOPS_WERROR=ON", "-DTAILOPS_JAX=ON",
        "-DTAILOPS_CUDA=ON",
        f"-Dpybind11_DIR={run(python, '-m', 'pybind11', '--cmakedir').strip()}",
        f"-DTAILOPS_TENSORFLOW={';'.join(map(str, folders))}", f"-DTAILOPS_FFI_INCLUDE={ffi}",
        f"-DCMAKE_CUDA_ARCHITECTURES={architectures}",
        environment=environment,
    )  # fmt: skip
    run("cmake", "--build", build, environment=environment)
    strip = ["--strip", "--component", "libraries", "--prefix", installed]
    run("cmake", "--install", build, *strip, environment=environment)
    return installed


def project_version() -> str:
    """As pyproject.toml has it."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    return next(line for line in lines if line.startswith("version = ")).split('"')[1]


def build_wheel(python: Path, libraries: Path) -> Path:
    """A wheel for this Python in dist/, with the platform that it is fit for in its name."""
    environment = settings_of_environment(python)
    raw = python.parents[1] / "raw"
    settings = (
        f"build-dir={python.parents[1]}/cmake",
        f"cmake.define.TAILOPS_PREBUILT={libraries}",
        "cmake.define.TAILOPS_WERROR=ON",
    )
    run(
        python, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", ROOT,
        "--wheel-dir", raw, *(f"--config-settings={setting}" for setting in settings),
        environment=environment,
    )  # fmt: skip
    (wheel,) = raw.glob("*.whl")
    excluded = [f"--exclude={library}" for library in LIBRARIES_OF_TENSORFLOW]
    repaired = raw / "repaired"
    repair = ["-m", "auditwheel", "repair", "--only-plat", *excluded, "--wheel-dir", repaired]
    run(python, *repair, wheel, environment=environment)
    (found,) = repaired.glob("*.whl")
    WHEELS.mkdir(exist_ok=True)
    return found.replace(WHEELS / found.name)


def main() -> None:
    """Builds them, and says what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", nargs="+", choices=PYTHONS, default=list(PYTHONS))
    parser.add_argument(
        "--tensorflows", nargs="+", choices=list(TENSORFLOWS), default=list(TENSORFLOWS)
    )
    parser.add_argument("--cuda-architectures", default="release", help="see cmake/cuda.cmake")
    arguments = parser.parse_args()

    found = {version: find_python(version) for version in arguments.pythons}
    missing = [version for version, python in found.items() if python is None]
    there = {version: python for version, python in found.items() if python is not None}
    if not there:
        raise SystemExit(f"none of Python {', '.join(missing)} is in PATH")
    environments = {
        version: build_environment(python, version) for version, python in there.items()
    }
    first = next(iter(environments.values()))
    libraries = build_libraries(first, arguments.tensorflows, arguments.cuda_architectures)
    for version, python in environments.items():
        wheel = build_wheel(python, libraries)
        megabytes = wheel.stat().st_size / 1e6
        print(f"Python {version}: {wheel.relative_to(ROOT)}, {megabytes:.1f} MB")
        if megabytes > MEGABYTES:
            raise SystemExit(f"more than {MEGABYTES} MB")
    for version in missing:
        print(f"Python {version}: not in PATH, no wheel")


if __name__ == "__main__":
    main()
