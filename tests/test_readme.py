"""README and docs/: their Python runs, their links lead somewhere, their figures are measured."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import tailops
from bench import results
from bench.report import hard_pixels, quality, readme, settings, speed, tails

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
# But for those of the site that show what stands elsewhere.
PAGES = [
    README,
    *(page for page in sorted(DOCS.glob("*.md")) if "{include}" not in page.read_text()),
]
NOTES = [path for path in sorted(ROOT.glob("*.md")) if path != README]
OTHERS = [*NOTES, ROOT / "csrc/README.md", ROOT / "examples/data/README.md"]
OTHERS += sorted((ROOT / "tests").rglob("*.md"))
GENERATED = {"benchmarks.md", "quality.md"}
# Of counts, goals and models, no times.
UNMEASURED = {"gpu.md", "several_devices.md"}
# What only a measurement can say: a time, or how many times as long or as much.
MEASURED = re.compile(r"\d[\d.,]*\s?(?:×|ms\b|µs\b|times as)")
# A loss whose settings are numbers without their names; brackets are emptied before.
NAMELESS = re.compile(r"Loss\(\s*[\d.]|_loss\([^=]*?,\s*\d")


def name_of(path):
    return str(path.relative_to(ROOT))


def blocks_of(page):
    """Python blocks, each below as many empty lines as it is below the page's top."""
    for block in re.finditer(r"```python\n(.*?)```", page, re.DOTALL):
        yield "\n" * page.count("\n", 0, block.start(1)) + block[1]


def runs_here(block):
    if "import jax" in block:
        return importlib.util.find_spec("jax") is not None and tailops.build_info()["jax"]
    if "import torch" in block:
        return importlib.util.find_spec("torch") is not None and tailops.cuda.device_count() > 0
    return True


def run(path, folder, monkeypatch):
    """The names that its blocks leave, in order one program.

    In this process, which has TensorFlow already: loading it takes longer than all blocks do.
    """
    monkeypatch.chdir(folder)
    blocks = [block for block in blocks_of(path.read_text()) if runs_here(block)]
    if not blocks:
        pytest.skip("needs JAX, or PyTorch and a GPU")
    names = {"__name__": path.stem}
    for block in blocks:
        exec(compile(block, path, "exec"), names)
    return names


def slug(heading):
    """The anchor that GitHub makes of it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(path):
    """Files and anchors, which may be empty, that a page leads to."""
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        yield (path.parent / file).resolve() if file else path, anchor


WITH_PYTHON = [path for path in PAGES if "```python" in path.read_text()]


@pytest.mark.parametrize("path", WITH_PYTHON, ids=name_of)
def test_snippets_run(path, tmp_path, monkeypatch):
    run(path, tmp_path, monkeypatch)


def test_before_is_after(tmp_path, monkeypatch):
    names = run(README, tmp_path, monkeypatch)
    y_true, y_pred = names["y"], names["model"](names["x"])
    before, after = names["tail_loss"](y_true, y_pred), names["loss"](y_true, y_pred)
    np.testing.assert_allclose(np.mean(before), after, rtol=1e-5)


@pytest.mark.parametrize("path", [*PAGES, *OTHERS], ids=name_of)
def test_links_lead_somewhere(path):
    for file, anchor in links(path):
        assert file.exists(), file
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), f"{file}#{anchor}"


def test_contributors_find_every_file():
    """What CONTRIBUTING.md names in code, by the end of its path; {a,b} is either."""
    named = re.findall(r"`([^`\s]*/[^`\s]*)`", (ROOT / "CONTRIBUTING.md").read_text())
    folders = ["bench", "cmake", "csrc", "docs", "examples", "requirements", "tailops", "tests"]
    there = [
        str(path) for folder in folders for path in [ROOT / folder, *(ROOT / folder).rglob("*")]
    ]
    for name in named:
        before, *choices, after = re.split(r"[{,}]", name) if "{" in name else (name, "")
        for choice in choices or [""]:
            path = f"/{before}{choice}{after}".rstrip("/")
            assert any(file.endswith(path) for file in there), path


def test_a_newcomer_finds_every_page():
    assert {file for file, _ in links(README)} >= set(PAGES) - {README}


def test_settings_are_named():
    programs = [*(ROOT / "tailops").rglob("*.py"), *(ROOT / "examples").glob("*.py")]
    for path in [*PAGES, *programs]:
        text = re.sub(r"\[[^][]*\]", "[]", path.read_text())
        assert not NAMELESS.findall(text), path
    assert NAMELESS.search("PercentileLoss(0.95, 5.0)")
    assert NAMELESS.search("percentile_loss(y, model(x), 0.95)")


@pytest.fixture(scope="module")
def committed():
    return sorted((results.read(path) for path in results.committed()), key=results.age)


def figures_outside_blocks(page):
    return MEASURED.findall(re.sub(r"<!-- bench: .*?<!-- end -->", "", page, flags=re.DOTALL))


def test_every_figure_is_from_a_committed_result(committed):
    page = README.read_text()
    assert readme.with_blocks(page, readme.blocks(committed)) == page, "run `make report`"
    for path in PAGES:
        if path.name not in GENERATED | UNMEASURED:
            assert figures_outside_blocks(path.read_text()) == [], path


@pytest.mark.parametrize(
    ("old", "new"), [("1,000,000 elements: ", "1,000,000 elements: 0"), ("## More", "80 ×")]
)
def test_a_figure_typed_by_hand_is_found(committed, old, new):
    page = README.read_text()
    assert old in page
    page = page.replace(old, new, 1)
    differs = readme.with_blocks(page, readme.blocks(committed)) != page
    assert differs or figures_outside_blocks(page)


def test_the_documents_are_of_the_committed_results(committed):
    runs = [result for result in committed if speed.is_of_everything(result)]
    runs += [result for result in committed if "gpu" in result]
    assert (DOCS / "benchmarks.md").read_text() == speed.document(runs), "run `make report`"
    (fits,) = (result for result in committed if "fits" in result)
    assert (DOCS / "quality.md").read_text() == quality.document(fits), "run `make report`"
    blocks = {
        "choosing.md": settings.blocks(committed),
        "which_tail.md": hard_pixels.blocks(committed) | tails.blocks(committed),
    }
    for name, found in blocks.items():
        page = (DOCS / name).read_text()
        assert readme.with_blocks(page, found) == page, "run `make report`"
