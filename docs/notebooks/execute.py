"""Executes the notebooks beside it, in place: `make notebooks`."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def cleaned(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The same without what differs from run to run: times, and what libraries log."""
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
    return notebook


def main() -> None:
    """Those that are named, or all."""
    for path in map(Path, sys.argv[1:] or sorted(HERE.glob("*.ipynb"))):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": HERE}}).execute()
        nbformat.write(cleaned(notebook), path)
        print(path)


if __name__ == "__main__":
    main()
