"""docs/benchmarks.md: how fast, against whom, how close to the limit."""

from collections.abc import Iterator
from typing import Any

from bench.report import gpu
from bench.report.text import digits, head, milliseconds, multiple, table
from bench.timing import slope

OURS, SORT = "tailops", "tf.sort"
FORMS = "tailops, "  # of ours, other than in a tf.function
SECTIONS = (
    "selection",
    "loss",
    "loss and gradient",
    "loss and gradient, many groups",
    "mean of the largest",
    "mean of the largest and gradient",
    "Keras train step",
)
INTRODUCTION = """# Benchmarks

Made by `python -m bench report` from [bench/results](../bench/results); nothing is typed by hand.

- `make bench` measures what follows, `python -m bench run --only PATTERN` a part of it,
  `make bench-compare` what got worse since the last committed result of the same machine kind.
- **One list of cases, two ways of running them.** These tables are of the first, which interleaves:
  in each round everybody runs once, in an order drawn anew, the floor among them, so that a slow
  moment of the machine strikes all. A ratio to the floor is the median of the ratios within rounds.
  Medians; in brackets the quartiles. Calls of over 0.6 s have three rounds.
- The other is [pytest-benchmark](https://pytest-benchmark.readthedocs.io), for one change against
  the next: `.venv/bin/python -m pytest bench --benchmark-autosave`, then, with the change,
  `--benchmark-compare`, and to fail, `--benchmark-compare-fail=median:20%`. `--only PATTERN` and
  `--largest N` choose cases, `-k` also who is timed. It has all rounds of one contestant before the
  next, so that a slow moment strikes one of them.
- **Fair.** The same arrays, the same number of threads (NumPy has one), everything called once or
  twice before; every result is compared with a float64 evaluation before it is timed, and who
  disagrees is left out and named. Equal errors share the threshold's gradient in some libraries and
  not in others, so for data with ties the gradients' sums are compared.
- **The floor** is what memory must do on as many threads: read the inputs once (selection, loss);
  and again, writing the gradient (loss and gradient). It is measured as a plain loop, which writes
  through the caches: a large gradient is written past them, and may take less.
- *Mean of the largest*: of a tenth of the values, as of losses per pixel: `ops.average_top_k`.
- *tailops* is the op in a `tf.function`; *eager* without one; *XLA* with `jit_compile=True`;
  *kernels* from NumPy, no framework. *tf.sort* is the loss as published, in a `tf.function`.
- *Peak memory* is what the process grows by in one call, results included; for calls of over
  0.6 s in the first, in which TensorFlow and XLA compile, too.
- The settings are the published ones: p = 0.99, κ = 100, s = 10, the whole function differentiated.
"""


def is_of_everything(result: dict[str, Any]) -> bool:
    """Whether a chapter can be made of it: not of a run of some cases."""
    return any(row["what"] == "loss and gradient" for row in result.get("cases", []))


def _label(row: dict[str, Any]) -> str:
    what = [row["shape"]] if row["shape"] != "one group" else []
    what += [row["data"]] if row["data"] != "random" else []
    what += [row["dtype"]] if row["dtype"] != "float32" else []
    return ", ".join(what)


def ratio(row: dict[str, Any], who: str) -> float | None:
    """How many times as long as ours."""
    of = row["who"].get(who)
    return None if of is None else of["seconds"] / row["who"][OURS]["seconds"]


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row["who"]))


def ratios(rows: list[dict[str, Any]]) -> str:
    """Ours, and the others as multiples of it."""
    others = [name for name in _names(rows) if name != OURS]
    lines = []
    for row in rows:
        ours = row["who"][OURS]
        found = (ratio(row, name) for name in others)
        quartiles = f"{digits(ours['low'] * 1e3)}–{digits(ours['high'] * 1e3)}"
        lines.append(
            [
                f"{row['n']:,}",
                _label(row),
                f"{digits(ours['seconds'] * 1e3)} ({quartiles})",
                digits(ours["times_floor"]),
                *("" if value is None else digits(value) for value in found),
            ]
        )
    return table(["elements", "", "tailops, ms", "× the floor", *others], lines)


def _everybody(row: dict[str, Any]) -> str:
    lines = [
        [
            name,
            milliseconds(of["seconds"]),
            f"{milliseconds(of['low'])} – {milliseconds(of['high'])}",
            multiple(of["times_floor"]),
            "" if of["peak_mib"] is None else f"{of['peak_mib']:.1f}",
            "" if of["operations"] is None else str(of["operations"]),
            str(of["rounds"]),
        ]
        for name, of in sorted(row["who"].items(), key=lambda item: item[1]["seconds"])
    ]
    heads = ["", "median", "quartiles", "the floor", "peak MiB", "operations", "rounds"]
    return table(heads, lines)


def beaten(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str, float]]:
    """Rows in which somebody else is faster than our op: the row, who is fastest, and our share."""
    for row in rows:
        others = {
            name: of["seconds"]
            for name, of in row["who"].items()
            if not name.startswith(OURS) and not name.startswith("Keras MAE")
        }
        fastest = min(others, key=others.__getitem__)
        ours = row["who"][OURS]["seconds"]
        if others[fastest] < ours:
            yield row, fastest, ours / others[fastest]


def _beaten(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row, who, times in beaten(rows):
        mine = {name: of["seconds"] for name, of in row["who"].items() if name.startswith(OURS)}
        best = min(mine, key=mine.__getitem__)
        theirs = row["who"][who]["seconds"]
        lines.append(
            [
                row["what"],
                f"{row['n']:,}",
                _label(row),
                f"{who}, {milliseconds(theirs)}",
                multiple(times),
                f"{best}, {multiple(mine[best] / theirs)}",
            ]
        )
    text = (
        f"Of {len(rows)} rows, {len(lines)}, in which the op in a `tf.function` takes longer than "
        "somebody else; the last column is the fastest form of ours against the same. Keras's MAE, "
        "another loss, is not among the others.\n\n"
    )
    heads = ["", "elements", "", "fastest other", "tailops takes", "fastest of ours takes"]
    return text + (table(heads, lines) if lines else "")


def _slope(points: list[tuple[float, float]]) -> str:
    if len(points) < 2:
        return ""
    return f"{slope([n for n, _ in points], [seconds for _, seconds in points]):.2f}"


def _slopes(rows: list[dict[str, Any]]) -> str:
    large = [row for row in rows if row["n"] >= 10_000 and not _label(row)]
    lines = []
    for name in _names(large):
        points = [(row["n"], row["who"][name]["seconds"]) for row in large if name in row["who"]]
        if len(points) > 1:
            lines.append([name, f"{points[0][0]:,} to {points[-1][0]:,}", _slope(points)])
    return table(["loss and gradient", "elements", "log-log slope"], lines)


def _scaling(result: dict[str, Any]) -> Iterator[str]:
    passes = ("selection", "forward", "backward")
    titles = {
        "n": ("n", "The number of elements, one thread"),
        "groups": ("groups", "The number of groups, the same elements in all, one thread"),
        "threads": ("threads", "Threads"),
    }
    for by, (key, title) in titles.items():
        rows = [row for row in result["scaling"] if row["by"] == by]
        if not rows:
            continue
        yield f"### {title}\n\nIn brackets, how many times the floor.\n"
        lines = [
            [
                f"{row[key]:,}",
                *(
                    f"{milliseconds(row[name]['seconds'])} ({digits(row[name]['times_floor'])})"
                    for name in passes
                ),
            ]
            for row in rows
        ]
        yield table([key, *passes], lines)
        if by == "n":
            large = [row for row in rows if row["n"] >= 10_000]
            slopes = (
                _slope([(row["n"], row[name]["seconds"]) for row in large]) for name in passes
            )
            found = ", ".join(f"{name} {value}" for name, value in zip(passes, slopes, strict=True))
            yield f"Log-log slope from 10,000 elements on (1 is linear): {found}.\n"


def _kernels(rows: list[dict[str, Any]]) -> str:
    by_data: dict[str, dict[str, str]] = {}
    for row in rows:
        speed = f"{row['bytes'] / row['seconds'] / 1e9:.1f}"
        by_data.setdefault(row["data"], {})[row["pass"]] = (
            f"{milliseconds(row['seconds'])}, {speed} GB/s ({digits(row['times_floor'])})"
        )
    lines = [[data, of["forward"], of["backward"]] for data, of in by_data.items()]
    return table(["", "forward", "backward"], lines)


def _left_out(rows: list[dict[str, Any]]) -> str:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for who, why in row.get("left_out", {}).items():
            reasons.setdefault(f"{who}: {why}", []).append(
                f"{row['what']}, {row['n']:,} {_label(row)}".strip()
            )
    return "".join(f"- {why} ({'; '.join(where)})\n" for why, where in reasons.items())


def _chapter(result: dict[str, Any]) -> Iterator[str]:
    kind = result["machine"]["kind"]
    cases = result["cases"]
    yield f"## {kind}\n\n{head(result)}"
    yield f"![Speed-up over tf.sort against n](speed_up-{kind}.png)\n"
    yield f"![Fraction of the memory floor against n](floor-{kind}.png)\n"
    for what in SECTIONS:
        rows = [row for row in cases if row["what"] == what]
        if not rows:
            continue
        yield f"### {what[0].upper()}{what[1:]}\n\nThe others as multiples of tailops' time.\n"
        yield ratios(rows)
        detailed = [row for row in rows if row["n"] == 1_000_000][:1]
        for row in detailed:
            yield f"{row['n']:,} elements, {_label(row) or 'one group'}:\n\n{_everybody(row)}"
    yield f"### Where tailops is not the fastest\n\n{_beaten(cases)}"
    gradient = [row for row in cases if row["what"] == "loss and gradient"]
    if gradient:
        yield "### How the cost grows\n\n" + _slopes(gradient)
    yield from _scaling(result)
    if result["kernels"]:
        n = result["kernels"][0]["n"]
        yield (
            f"### The kernels alone, {n:,} elements, one thread unless said\n\nIn brackets, how "
            f"many times the floor.\n\n{_kernels(result['kernels'])}"
        )
    left_out = _left_out(cases)
    if left_out:
        yield f"### Left out\n\n{left_out}"


def document(results: list[dict[str, Any]]) -> str:
    """The whole page, of runs on CPUs and on GPUs."""
    parts = [INTRODUCTION]
    for result in results:
        parts += [gpu.chapter(result)] if "gpu" in result else _chapter(result)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)
