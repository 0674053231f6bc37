"""`python -m bench run`, `report`, `compare`: measure, write it up, see what got worse."""

import argparse
import re
import sys
from pathlib import Path

from bench import environment, results
from bench.options import LARGEST, pattern, positive

ROOT = Path(__file__).parents[1]


def run(arguments: argparse.Namespace) -> None:
    """Measures what --only selects, and writes it."""
    environment.prepare()
    from bench import runner

    output = arguments.output or results.FOLDER / f"{results.machine()['kind']}.json"
    runner.run(arguments.only, arguments.seconds, arguments.largest, output)
    print(f"results: {output}")


def report(arguments: argparse.Namespace) -> None:
    """Writes the documents, the pictures, and the README's blocks."""
    from bench.report import write_all

    for path in write_all(arguments.results or results.committed(), arguments.root):
        print(path)


def compare(arguments: argparse.Namespace) -> None:
    """Exits with 1 where something got worse."""
    from bench.compare import against, worse

    new = results.read(arguments.new)
    old = results.read(arguments.old) if arguments.old else against(new["machine"]["kind"])
    found = worse(old, new)
    for line in found:
        print(line)
    print(f"{len(found)} of ours got worse by more than 15 %")
    sys.exit(bool(found))


def main(words: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    one = commands.add_parser("run", help="measure; under ten minutes on two cores")
    one.add_argument("--only", type=pattern, default=re.compile(""), help="of the cases' names")
    one.add_argument("--seconds", type=float, default=1.2, help="of measuring a case, at least")
    one.add_argument("--largest", type=positive, default=LARGEST, help="elements of a case")
    one.add_argument("--output", type=Path, help="default: bench/results/<machine kind>.json")
    one.set_defaults(command=run)

    one = commands.add_parser("report", help="documents and pictures from results")
    one.add_argument("results", type=Path, nargs="*", help="JSON files; default: bench/results")
    one.add_argument("--root", type=Path, default=ROOT, help="the folder with README.md and docs")
    one.set_defaults(command=report)

    one = commands.add_parser("compare", help="a run against the committed one of its machine kind")
    one.add_argument("new", type=Path, help="JSON file")
    one.add_argument("--old", type=Path, help="JSON file; default: the last committed one")
    one.set_defaults(command=compare)

    arguments = parser.parse_args(words)
    try:
        arguments.command(arguments)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
