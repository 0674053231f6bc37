"""The README's Python blocks run, in order, as one program."""

import importlib.util
import re
from pathlib import Path

from processes import run_python

README = Path(__file__).parents[1] / "README.md"


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
