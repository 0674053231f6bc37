"""The documentation site, of the pages here and the docstrings of `tailops`: see `make docs`."""

import os
import re
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DOCS = Path(__file__).parent.resolve()
ROOT = DOCS.parent
# What stands elsewhere in the repository and has a page here.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "csrc/README.md": "code.md",
    "tests/README.md": "tests.md",
}

project = "tailops"
release = metadata.version("tailops")
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "myst_nb"]

html_theme = "furo"
html_title = f"tailops {release}"
html_copy_source = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#a3001f", "color-brand-content": "#a3001f"},
    "dark_css_variables": {"color-brand-primary": "#ff8a80", "color-brand-content": "#ff8a80"},
}

highlight_language = "text"
smartquotes_action = "D"  # dashes; quotes are of strings to be typed
myst_heading_anchors = 4  # as on GitHub
# Notebooks are committed with their outputs: `make notebooks` executes them.
nb_execution_mode = "off"

autodoc_typehints = "none"  # what an argument may be, its description says
autodoc_member_order = "bysource"
autosummary_generate = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# In docstrings `tailops.ops.quantile` is a link, and `x` is code.
default_role = "py:obj"
# Of ours every name must be there; others' are no links, since nothing is fetched.
nitpick_ignore_regex = [("py:.*", r"(?s)(?!tailops(\.[A-Za-z]\w*)+\Z).*")]


def rst_of(lines: list[str]) -> list[str]:
    """What Sphinx takes for our docstrings, which are written to be read in `help()`.

    Their |x| is no substitution, an indented paragraph is a formula, a table is Markdown's, and
    what is returned has no type before a colon.
    """
    text = "\n".join(lines)
    text = re.sub(r"(?m)^Returns:\n {4}", ":returns: ", text)
    text = re.sub(r"(?m)^\|.*\|\n\|[-|]+\|\n(?:\|.*\|(?:\n|\Z))+", list_table, text)
    written, last = [], ""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("    ") and last[:1].strip():
            written += ["::", paragraph]
        else:
            written.append(paragraph if ">>>" in paragraph else paragraph.replace("|", r"\|"))
        last = paragraph.rpartition("\n")[2]
    return "\n\n".join(written).split("\n")


def list_table(table: re.Match[str]) -> str:
    """A table of Markdown in reStructuredText."""
    head, _, *rows = table[0].strip().split("\n")
    written = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        written += [f"   {'* -' if not i else '  -'} {cell}" for i, cell in enumerate(cells)]
    return "\n".join([*written, "", ""])


def on_docstring(_app: Any, what: str, name: str, of: Any, _: Any, lines: list[str]) -> None:
    """A docstring as Sphinx takes it; a module's has a table of what is in it."""
    lines[:] = rst_of(lines)
    if what == "module" and name.startswith("tailops.") and hasattr(of, "__all__"):
        names = [f"   {one}" for one in of.__all__ if callable(getattr(of, one))]
        lines += ["", ".. autosummary::", "   :nosignatures:", "", *names, ""]


def is_left_out(_app: Any, what: str, *_: Any) -> bool | None:
    """Methods: those of a loss, a metric or a layer are Keras's."""
    return True if what == "class" else None


def with_links(text: str, folder: Path, here: Path = DOCS) -> str:
    """A text of one folder with links as seen from another; to a folder there is none."""

    def link(found: re.Match[str]) -> str:
        name, target = found.groups()
        file, _, anchor = target.partition("#")
        path = (folder / file).resolve()
        if not file or not path.exists():
            return found[0]  # code; or a mistake, of which Sphinx says so
        if path.is_dir():
            return name
        page = PAGES.get(os.path.relpath(path, ROOT))
        seen = os.path.relpath(DOCS / page if page else path, here)
        if page or DOCS in path.parents:
            return f"[{name}]({seen}{anchor and '#'}{anchor})"
        return f"[{name}](path:{seen})"  # the file itself

    return re.sub(r"\[([^][]*)\]\((?!\w+:)([^)\s]+)\)", link, text)


def on_page(app: Any, name: str, source: list[str]) -> None:
    """A page of ours, whose links may lead out of docs/."""
    folder = Path(app.env.doc2path(name)).parent
    source[0] = with_links(source[0], folder, folder)


def on_included(_app: Any, path: Path, _name: str, source: list[str]) -> None:
    """A page from elsewhere."""
    source[0] = with_links(source[0], (DOCS / path).parent)


def setup(app: Any) -> None:
    """What is done to what Sphinx reads."""
    app.connect("autodoc-process-docstring", on_docstring, priority=100)  # before napoleon
    app.connect("autodoc-skip-member", is_left_out)
    app.connect("source-read", on_page)
    app.connect("include-read", on_included)
