"""The README's Python blocks run, in order, as one program; its figures are committed results."""

import importlib.util
import re
from pathlib import Path

import pytest
from processes import run_python

from bench import results
from bench.report import quality, readme, speed

README = Path(__file__).parents[1] / "README.md"
DOCS = README.parent / "docs"
# What only a measurement can say: a time, or how many times as long or as much.
MEASURED = re.compile(r"\d[\d.,]*\s?(?:×|ms\b|µs\b|times as)")


def test_snippets_run(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) >= 5
    if importlib.util.find_spec("jax") is None:
        blocks = [block for block in blocks if "import jax" not in block]
    program = f"import os\nos.chdir({str(tmp_path)!r})\n" + "\n".join(blocks)
    run_python(program)


def test_links_and_pictures_exist():
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text())
    assert targets
    for target in targets:
        assert (README.parent / target).exists(), target


@pytest.fixture(scope="module")
def committed():
    return sorted((results.read(path) for path in results.committed()), key=results.age)


def figures_outside_blocks(page):
    return MEASURED.findall(re.sub(r"<!-- bench: .*?<!-- end -->", "", page, flags=re.DOTALL))


def test_every_figure_is_from_a_committed_result(committed):
    page = README.read_text()
    assert readme.with_blocks(page, readme.blocks(committed)) == page, "run `make report`"
    assert figures_outside_blocks(page) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("| 1,000,000 | ", "| 1,000,000 | 0"), ("## Limits", "80 × as fast\n## Limits")],
)
def test_a_figure_typed_by_hand_is_found(committed, old, new):
    page = README.read_text().replace(old, new, 1)
    differs = readme.with_blocks(page, readme.blocks(committed)) != page
    assert differs or figures_outside_blocks(page)


def test_the_documents_are_of_the_committed_results(committed):
    runs = [result for result in committed if "cases" in result]
    runs += [result for result in committed if "gpu" in result]
    assert (DOCS / "benchmarks.md").read_text() == speed.document(runs), "run `make report`"
    (fits,) = (result for result in committed if "fits" in result)
    assert (DOCS / "quality.md").read_text() == quality.document(fits), "run `make report`"
