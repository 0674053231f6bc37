"""`python -m bench.hard_pixels`: the segmentation example on several seeds, and where it loses.

A run that was cut off goes on where it was: what has been trained lies in --cache.
"""

import argparse
import importlib
import statistics
import sys
from pathlib import Path
from typing import Any

from bench import environment, results
from bench.options import positive
from bench.quality.cache import Cache
from bench.timing import spread

EXAMPLES = Path(__file__).parents[1] / "examples"
SEEDS = 3
WRONG_LABELS = 0.05
TIMES_AS_LONG = 3
AS_IT_IS, LONGER, WRONG = "as it is", "longer", "wrong labels"


def _row(section: str, loss: str, cache: Cache, jobs: list[dict[str, Any]]) -> dict[str, Any]:
    found = [statistics for job in jobs if (statistics := cache.get(job)) is not None]
    return {"section": section, "loss": loss} | {
        score: [statistics[score] for statistics in found] for score in found[0]
    }


def command(words: list[str]) -> str:
    """How to do it again."""
    return " ".join(["make hard-pixels", *([f'ARGS="{" ".join(words)}"'] if words else [])])


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
    parser.add_argument("--other-seeds", type=positive, default=SEEDS, help="of what it loses at")
    parser.add_argument("--epochs", type=positive, help="default: the example's")
    parser.add_argument("--images", type=positive, help="default: the example's")
    parser.add_argument("--rounds", type=positive, default=100, help="timed steps of each loss")
    parser.add_argument("--cache", type=Path, default=Path("out/hard_pixels.jsonl"))
    parser.add_argument("--output", type=Path, default=results.FOLDER / "hard_pixels.json")
    arguments = parser.parse_args()

    environment.prepare()
    environment.set_threads()
    sys.path.insert(0, str(EXAMPLES))
    example: Any = importlib.import_module("segment_hard_pixels")
    from tailops.losses import TrimmedLoss

    options = example.parsed([])
    options.rounds = arguments.rounds
    options.epochs = arguments.epochs or options.epochs
    options.images = arguments.images or options.images
    some = {name: example.LOSSES[name] for name in (example.REFERENCE, "OHEM", "tail-weighted")}
    trimmed = {"trimmed": lambda: TrimmedLoss(example.cross_entropy(), fraction=WRONG_LABELS)}
    sections = {
        AS_IT_IS: (example.LOSSES, {}),
        WRONG: (example.LOSSES | trimmed, {"wrong_labels": WRONG_LABELS}),
        LONGER: (some, {"epochs": TIMES_AS_LONG * options.epochs}),
    }
    cache, rows = Cache(arguments.cache), []
    for section, (losses, others) in sections.items():
        chosen = argparse.Namespace(**(vars(options) | others))
        seeds = arguments.seeds if section == AS_IT_IS else arguments.other_seeds
        for name, make in losses.items():
            about = {"loss": name, "epochs": chosen.epochs, "images": chosen.images}
            about |= {"batch": chosen.batch_size, "wrong_labels": chosen.wrong_labels}
            jobs = [about | {"seed": seed} for seed in range(seeds)]
            for job in jobs:
                if cache.get(job) is None:
                    logits = example.trained(make, job["seed"], chosen)
                    cache.put(job, example.scores(logits, example.held_out().classes))
            rows.append(_row(section, name, cache, jobs))
    results.write(
        arguments.output,
        {
            **results.about(command(sys.argv[1:])),
            "epochs": options.epochs,
            "images": options.images,
            "batch": options.batch_size,
            "hard_pixels": rows,
            "steps": _steps(example.step_seconds(options), example.REFERENCE),
        },
    )


if __name__ == "__main__":
    main()
