"""`python -m bench`: train step and selection against peers, the kernels against the floor."""

import argparse
import json
import os
import platform
from datetime import date
from pathlib import Path

import tensorflow as tf

from bench import kernels, selection, train_step
from tailops import build_info


def main() -> None:
    """Runs both suites, and writes the results as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e2, 1e3, 1e4, 1e5, 1e6, 1e7])
    parser.add_argument("--kernel-sizes", type=float, nargs="+", default=[1e6, 1e7])
    parser.add_argument("--seconds", type=float, default=4.0, help="per size, at least")
    parser.add_argument("--rounds", type=int, default=15, help="of the kernels")
    parser.add_argument(
        "--selection-sizes", type=float, nargs="+", default=[1e3, 1e4, 1e5, 1e6, 1e7]
    )
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    arguments = parser.parse_args()

    kernel_rows = kernels.run([int(n) for n in arguments.kernel_sizes], arguments.rounds)
    selection_rows = selection.run([int(n) for n in arguments.selection_sizes], arguments.seconds)
    step_rows = train_step.run([int(n) for n in arguments.sizes], arguments.seconds)
    if arguments.output:
        result = {
            "command": "make bench",
            "date": date.today().isoformat(),
            "machine": {"architecture": platform.machine(), "cores": os.cpu_count()},
            "versions": {**build_info(), "tensorflow": tf.__version__},
            "kernels": kernel_rows,
            "selection": selection_rows,
            "train_step": step_rows,
        }
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
