"""What a release is for, and what it is made with."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "release"
WHEELS = ROOT / "dist"

# The patch release whose headers are used: the interface is a minor version's.
TENSORFLOWS = {"2.18": "2.18.1", "2.19": "2.19.1", "2.20": "2.20.0", "2.21": "2.21.0"}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Python 3.13 came after the first two.
COMBINATIONS = [
    (python, tensorflow)
    for python in PYTHONS
    for tensorflow in TENSORFLOWS
    if not (python == "3.13" and tensorflow in ("2.18", "2.19"))
]
# The oldest jaxlib that tailops is for: its headers of XLA's typed FFI fit all later ones, and
# TensorFlow 2.19, which comes without them.
JAXLIB = "0.5.0"
# Where there is no nvcc in PATH; see docs/gpu.md.
NVCC = "cuda-toolkit[nvcc,cudart,cccl,crt,nvvm]==13.0.2"


def find_python(version: str) -> str | None:
    """An interpreter of this version, with its headers."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    found = shutil.which(f"python{version}")
    asked = [found or "", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    # A shim of a version manager is in PATH for versions that are not there.
    works = found and subprocess.run(asked, capture_output=True, text=True, check=False)
    return found if works and works.stdout.strip() == version else None


def run(*command: object, environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    """What a command prints; where it fails, all of that, and an end."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=dict(environment or os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout[-6000:]}\n{' '.join(words)}: status {done.returncode}")
    return done.stdout


def create_environment(folder: Path, python: str) -> Path:
    """A new virtual environment; its interpreter."""
    shutil.rmtree(folder, ignore_errors=True)
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def pip(python: Path, *arguments: object) -> str:
    """Installs something quietly."""
    return run(python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)
