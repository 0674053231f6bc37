"""Which nvcc a build takes, of those that PyPI's packages have put beside this Python."""

import importlib.util
import sysconfig
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "cmake/find_nvcc.py"
WORKS = "exit 0"
INCOMPLETE = "echo no libdevice; exit 1"


@pytest.fixture
def find_nvcc():
    spec = importlib.util.spec_from_file_location("find_nvcc", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    return tmp_path


def install(site, name, script):
    nvcc = site / "nvidia" / name / "bin/nvcc"
    nvcc.parent.mkdir(parents=True)
    nvcc.write_text(f"#!/bin/sh\n{script}\n")
    nvcc.chmod(0o755)
    return nvcc


def test_none(find_nvcc, site):
    assert find_nvcc.find() is None
    (site / "nvidia/cuda_nvcc/bin").mkdir(parents=True)
    assert find_nvcc.find() is None


def test_the_latest_that_works(find_nvcc, site, capsys):
    install(site, "cu12", WORKS)
    works = install(site, "cu13", WORKS)
    install(site, "cu14", INCOMPLETE)
    assert find_nvcc.find() == (works, site / "nvidia/cu13/lib")
    assert "cu14/bin/nvcc does not work:\nno libdevice" in capsys.readouterr().err
