"""Checks the wheels in dist/ as they are installed: `make test-wheels`.

For each Python and TensorFlow a new virtual environment, outside the source tree, with no compiler
in PATH. Prints a table, as docs/install.md has it.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from matrix import (
    COMBINATIONS,
    PYTHONS,
    ROOT,
    TENSORFLOWS,
    WHEELS,
    create_environment,
    find_python,
    pip,
    run,
)

CHECKS = ("import", "eager", "graph", "xla", "saving", "readme")
PROGRAM = ROOT / "release" / "installed.py"


def wheel_for(version: str) -> Path | None:
    """The one in dist/ for this Python."""
    found = list(WHEELS.glob(f"tailops-*-cp{version.replace('.', '')}-*.whl"))
    return found[0] if len(found) == 1 else None


def ask(python: Path, folder: Path, *arguments: object) -> str:
    """What a program prints last, with nothing in PATH but the environment."""
    kept = ("HOME", "LANG", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"PATH": str(python.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    printed = run(python, *arguments, environment=environment, cwd=folder)
    return printed.strip().splitlines()[-1]


def what_is_left(python: Path) -> list[str]:
    """Of tailops in its environment."""
    return [str(path) for path in python.parents[1].rglob("*tailops*")]


def install(python: Path, wheel: Path, *others: str) -> float:
    """Installs others, then the wheel alone; how many seconds that took."""
    pip(python, "install", *others)
    began = time.monotonic()
    pip(python, "install", wheel)
    return time.monotonic() - began


def check(folder: Path, python: str, wheel: Path, package: str) -> dict[str, str]:
    """What came of each check."""
    interpreter = create_environment(folder / "environment", python)
    seconds = install(interpreter, wheel, package)
    done = {"installed in": f"{seconds:.1f} s"}
    for name in CHECKS:
        readme = [ROOT / "README.md"] if name == "readme" else []
        done[name] = ask(interpreter, folder, PROGRAM, name, *readme)
    ask(interpreter, folder, "-m", "tailops")
    pip(interpreter, "uninstall", "--yes", "tailops")
    if left := what_is_left(interpreter):
        raise SystemExit(f"left after pip uninstall: {left}")
    return done


def check_jax(folder: Path, python: str, wheel: Path) -> str:
    """Without TensorFlow."""
    interpreter = create_environment(folder / "environment", python)
    install(interpreter, wheel, "jax", "keras")
    return ask(interpreter, folder, PROGRAM, "jax")


def main() -> None:
    """Checks them all, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", nargs="+", choices=PYTHONS, default=list(PYTHONS))
    parser.add_argument(
        "--tensorflows", nargs="+", choices=list(TENSORFLOWS), default=list(TENSORFLOWS)
    )
    parser.add_argument("--package", default="tensorflow-cpu", help="or tensorflow")
    arguments = parser.parse_args()

    columns = ["Python", "TensorFlow", "installed in", *CHECKS[1:]]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)
    for version in arguments.pythons:
        python, wheel = find_python(version), wheel_for(version)
        if python is None or wheel is None:
            print(f"Python {version}: {'not in PATH' if python is None else 'no wheel in dist/'}")
            continue
        for minor in arguments.tensorflows:
            if (version, minor) not in COMBINATIONS:
                continue
            with tempfile.TemporaryDirectory() as folder:
                package = f"{arguments.package}=={TENSORFLOWS[minor]}"
                done = check(Path(folder), python, wheel, package)
            cells = [version, TENSORFLOWS[minor], *(done[name] for name in columns[2:])]
            print(f"| {' | '.join(cells)} |", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            print(f"Python {version}: {check_jax(Path(folder), python, wheel)}", flush=True)


if __name__ == "__main__":
    main()
