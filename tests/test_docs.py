"""The documentation site: it builds without a warning and a network, and leaves nothing out."""

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tailops

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
MODULES = sorted(set(tailops.__all__) - {"__version__", "build_info"})
TOOLS = ("sphinx", "furo", "myst_nb", "jax")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of its pages."""
    missing = [name for name in TOOLS if importlib.util.find_spec(name) is None]
    if missing or not tailops.build_info()["jax"]:
        pytest.skip(f"needs {', '.join(missing) or 'kernels for JAX'}: see `make docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html"]
    command += ["-d", folder / "state", ROOT / "docs", folder / "html"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return folder / "html"


@pytest.mark.extended
def test_every_public_name_is_in_the_reference(site):
    names = [f"tailops.{name}" for name in tailops.__all__]
    for module in MODULES:
        public = importlib.import_module(f"tailops.{module}").__all__
        names += [f"tailops.{module}.{name}" for name in public]
    from sphinx.util.inventory import InventoryFile

    with (site / "objects.inv").open("rb") as file:
        kinds = InventoryFile.load(file, "", lambda _, page: page)
    there = {
        name
        for kind, objects in kinds.items()
        for name, of in objects.items()
        if kind.startswith("py:") and of[2].startswith("api/")
    }
    assert len(names) > 80
    assert set(names) <= there


@pytest.mark.extended
def test_nothing_of_a_page_is_fetched(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        parts = re.findall(r"<(?:img|script|link|iframe)\b[^>]*>", page.read_text())
        assert not [part for part in parts if re.search(r'(?:src|href)="(?:https?:)?//', part)], (
            page
        )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_as_executed(path):
    text = path.read_text()
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert len(text) < 400_000
    assert not re.search(r'[" (]/(?:home|root|tmp|usr|work)/', text)
