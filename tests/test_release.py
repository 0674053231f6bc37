"""What wheels are made for is what the package and the documentation say."""

import importlib
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RELEASE = ROOT / "release"

pytestmark = pytest.mark.skipif(not RELEASE.exists(), reason="not in the source distribution")


@pytest.fixture(scope="module")
def matrix():
    sys.path.insert(0, str(RELEASE))
    yield importlib.import_module("matrix")
    sys.path.remove(str(RELEASE))


def test_every_tensorflow_that_the_package_is_for(matrix):
    text = (ROOT / "pyproject.toml").read_text()
    ranges = set(re.findall(r'"tensorflow(?:-cpu)?>=2\.(\d+),<2\.(\d+)"', text))
    ((first, after),) = ranges
    assert list(matrix.TENSORFLOWS) == [f"2.{minor}" for minor in range(int(first), int(after))]
    for minor, version in matrix.TENSORFLOWS.items():
        assert version.startswith(f"{minor}.")


def test_every_python(matrix):
    assert f'requires-python = ">={matrix.PYTHONS[0]}"' in (ROOT / "pyproject.toml").read_text()
    assert {python for python, _ in matrix.COMBINATIONS} == set(matrix.PYTHONS)
    assert matrix.find_python("2.99") is None
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert matrix.find_python(here) == sys.executable


def test_a_command_that_fails_shows_what_it_printed(matrix):
    with pytest.raises(SystemExit, match="no such wheel"):
        matrix.run(sys.executable, "-c", "raise SystemExit('no such wheel')")
