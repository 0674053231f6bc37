"""`python -m bench.hard_pixels`: the segmentation example on several seeds, and where it loses."""

import argparse
import importlib
import statistics
import sys
from pathlib import Path
from typing import Any

from bench import environment, results
from bench.options import positive
from bench.timing import spread

EXAMPLES = Path(__file__).parents[1] / "examples"
SEEDS = 3
WRONG_LABELS = 0.05
TIMES_AS_LONG = 3
AS_IT_IS, LONGER, WRONG = "as it is", "longer", "wrong labels"


def _rows(section: str, outcomes: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "section": section,
            "loss": name,
            **{score: [seed[score] for seed in of.scores] for score in of.scores[0]},
        }
        for name, of in outcomes.items()
    ]


def _steps(times: dict[str, list[float]], reference: str) -> dict[str, Any]:
    """Medians, and that of the ratios to the reference in the same round."""
    return {
        name: {
            **spread(seconds)._asdict(),
            "times": statistics.median(
                a / b for a, b in zip(seconds, times[reference], strict=True)
            ),
        }
        for name, seconds in times.items()
    }


def main() -> None:
    """Trains, times steps, writes the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.hard_pixels", description=__doc__)
    parser.add_argument("--seeds", type=positive, default=SEEDS)
    parser.add_argument("--epochs", type=positive, help="default: the example's")
    parser.add_argument("--images", type=positive, help="default: the example's")
    parser.add_argument("--rounds", type=positive, default=100, help="timed steps of each loss")
    parser.add_argument("--output", type=Path, default=results.FOLDER / "hard_pixels.json")
    arguments = parser.parse_args()

    environment.prepare()
    environment.set_threads()
    sys.path.insert(0, str(EXAMPLES))
    example: Any = importlib.import_module("segment_hard_pixels")
    from tailops.losses import TrimmedLoss

    options = example.parsed([])
    options.seeds, options.rounds = arguments.seeds, arguments.rounds
    options.epochs = arguments.epochs or options.epochs
    options.images = arguments.images or options.images
    trimmed = {
        "trimmed": lambda: TrimmedLoss(example.cross_entropy(), fraction=WRONG_LABELS),
    }
    sections = {
        AS_IT_IS: (example.LOSSES, {}),
        LONGER: (
            {example.REFERENCE: example.LOSSES[example.REFERENCE]},
            {"epochs": TIMES_AS_LONG * options.epochs},
        ),
        WRONG: ({**example.LOSSES, **trimmed}, {"wrong_labels": WRONG_LABELS}),
    }
    rows = []
    for section, (losses, others) in sections.items():
        chosen = argparse.Namespace(**{**vars(options), **others})
        rows += _rows(section, example.compare(losses, chosen)[0])
    results.write(
        arguments.output,
        {
            **results.about("make hard-pixels"),
            "seeds": options.seeds,
            "epochs": options.epochs,
            "images": options.images,
            "batch": options.batch_size,
            "hard_pixels": rows,
            "steps": _steps(example.step_seconds(example.LOSSES, options), example.REFERENCE),
        },
    )


if __name__ == "__main__":
    main()
