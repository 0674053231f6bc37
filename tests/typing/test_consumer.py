"""A user's program under static checkers, which see the package as it is installed."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import tailops

CONSUMER = Path(__file__).with_name("consumer.py")
# Keras and TensorFlow have no types of their own: their values are Any.
MYPY = """
[mypy]
strict = true

[mypy-keras.*,tensorflow.*]
ignore_missing_imports = true
"""
PYRIGHT = {
    "include": [CONSUMER.name],
    "venvPath": ".",
    "venv": "environment",
    "typeCheckingMode": "strict",
    "reportUnnecessaryTypeIgnoreComment": "error",
    "reportMissingTypeStubs": "none",
    "reportUnknownMemberType": "none",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the consumer, and an environment that has tailops and what this one has.

    An editable installation is found by a hook at run time, of which static checkers know nothing.
    """
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(CONSUMER, folder)
    venv.create(folder / "environment", symlinks=True)
    (site,) = folder.glob("environment/lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    left_out = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(Path(tailops.__file__).parent, site / "tailops", ignore=left_out)
    return folder


def checked(project, *command):
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env=os.environ | {"PATH": f"{project}/environment/bin{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_mypy(project):
    pytest.importorskip("mypy")
    (project / "mypy.ini").write_text(MYPY)
    python = project / "environment/bin/python"
    result = checked(
        project, "mypy", "--config-file=mypy.ini", "--python-executable", python, CONSUMER.name
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.extended
def test_pyright(project):
    pytest.importorskip("basedpyright", reason="requirements/typing.txt is not installed")
    (project / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    result = checked(project, "basedpyright")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.extended
def test_every_public_name_has_a_type(project):
    """All but what Keras's base classes bring."""
    pytest.importorskip("basedpyright", reason="requirements/typing.txt is not installed")
    command = ["basedpyright", "--verifytypes", "tailops", "--ignoreexternal", "--outputjson"]
    report = json.loads(checked(project, *command).stdout)["typeCompleteness"]
    symbols = [symbol for symbol in report["symbols"] if symbol["isExported"]]
    assert len(symbols) > 200
    untyped = {
        (symbol["name"], found["message"])
        for symbol in symbols
        for found in symbol["diagnostics"]
        if "metaclass" not in found["message"] and "base class" not in found["message"]
    }
    assert not untyped
