"""Documents and pictures from results: nothing in them is typed by hand."""

from collections.abc import Iterator
from pathlib import Path

from bench import results
from bench.report import (
    gradient_picture,
    hard_pixels,
    pictures,
    quality,
    quality_picture,
    readme,
    selection_picture,
    settings,
    speed,
    tails,
    weights_picture,
    windows,
)


def write_all(paths: list[Path], root: Path) -> Iterator[Path]:
    """Writes what these results are enough for; yields what was written.

    Raises:
        ValueError: A file is none of results, or there is none.
    """
    if not paths:
        raise ValueError("results: must be at least one JSON file; `make bench` writes one")
    read = sorted((results.read(path) for path in paths), key=results.age)
    speeds = [result for result in read if speed.is_of_everything(result)]
    qualities = [result for result in read if "fits" in result]
    docs = root / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    if speeds:
        for result in speeds:
            yield from pictures.draw(result, docs)
        gpus = [result for result in read if "gpu" in result]
        yield _written(docs / "benchmarks.md", speed.document(speeds + gpus))
    for result in qualities[:1]:
        yield from quality_picture.draw(result, docs)
        yield _written(docs / "quality.md", quality.document(result))
    yield weights_picture.draw(docs / "tail_weights.png")
    yield selection_picture.draw(docs / "how_selection.png")
    yield gradient_picture.draw(docs / "how_gradient.png")
    blocks = {
        root / "README.md": readme.blocks(read),
        docs / "choosing.md": settings.blocks(read),
        docs / "small_batches.md": windows.blocks(read),
        docs / "which_tail.md": hard_pixels.blocks(read) | tails.blocks(read),
    }
    for page, found in blocks.items():
        if page.exists():
            yield _written(page, readme.with_blocks(page.read_text(), found))


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
