"""The one list of cases, and the two ways of running it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import environment, memory, results, suites
from bench.__main__ import main

ROOT = Path(__file__).parents[2]
# A part of the parts: quick ones, of each kind.
SOME = r"^(loss \| 30 |kernels \| 30 \| random$|scaling with threads .* 1$)"


def names():
    return [case.name for case in suites.cases()]


def pytest_bench(*arguments, folder=ROOT):
    """What `pytest bench` prints. In a process of its own: it settles TensorFlow's threads."""
    command = [sys.executable, "-m", "pytest", str(ROOT / "bench"), *arguments]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    kept["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=kept, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_case_runs_under_pytest():
    printed = pytest_bench("--benchmark-disable", "--largest", "30", "-q")
    some = len(suites.cases(largest=30))
    assert int(re.search(r"(\d+) passed", printed)[1]) > some
    assert "skipped" not in printed


@pytest.mark.extended
def test_runs_of_pytest_compare(tmp_path):
    how = ("--only", SOME, "--largest", "30", "--benchmark-autosave", "--benchmark-max-time=0.001")
    pytest_bench(*how, folder=tmp_path)
    (saved,) = (tmp_path / ".benchmarks").glob("*/0001_*.json")
    benchmarks = json.loads(saved.read_text())["benchmarks"]
    assert {"loss | 30 | random | float32 | one group"} < {of["group"] for of in benchmarks}
    ours = [of for of in benchmarks if of["name"].endswith("| tailops]")]
    assert ours[0]["extra_info"] == {"elements": 30, "floor": "floor", "operations": 1}
    printed = pytest_bench(*how, "--benchmark-compare=0001", folder=tmp_path)
    assert re.search(r"tf\.sort\] \(0001_", printed)
    assert re.search(r"tf\.sort\] \(NOW\)", printed)


def test_the_same_cases_are_run_interleaved(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "measured", lambda call: (call(), None))  # it takes half a second
    for settle in ("prepare", "set_threads"):  # this process has its own settings
        monkeypatch.setattr(environment, settle, lambda: None)
    path = tmp_path / "out.json"
    main(["run", "--only", SOME, "--largest", "30", "--seconds", "0", "--output", str(path)])
    found = results.read(path)
    assert [row["what"] for row in found["cases"]] == ["loss"]
    assert [row["pass"] for row in found["kernels"]] == ["forward", "backward"]
    assert [row["by"] for row in found["scaling"]] == ["threads"]
    (case,) = suites.cases(re.compile("^loss [|] 30 "), largest=30)
    assert list(found["cases"][0]["who"]) == case.who()


def test_names_are_those_of_the_published_results():
    shown = {
        "selection | 1000000 | random | float32 | 1,000 rows of 1,000, median",
        "selection | 1000000 | sorted | float32 | one row, p99",
        "loss and gradient | 10000000 | random | float32 | one group",
        "loss and gradient, many groups | 1000000 | random | float32 | 1,000 columns of 1,000",
        "Keras train step | 512 | random | float32 | 8 features, two layers of 64",
        "kernels | 10000000 | groups of 10",
    }
    assert shown < set(names())
    assert len(names()) == len(set(names()))


def test_who_is_timed_is_known_before():
    for case in suites.cases(largest=30):
        trial = case.prepare()
        assert list(trial.makers) == case.who(), case.name
        assert tuple(trial.floors) == case.floors, case.name
        assert {trial.floor_for(who) for who in case.who()} <= set(case.floors)


def test_cut_cases_are_of_whole_groups():
    assert {case.n for case in suites.cases(re.compile(" of 1,?0"), largest=1234)} == {1000, 1230}
    assert max(case.n for case in suites.cases(largest=999)) == 999


def test_nothing_matches():
    with pytest.raises(ValueError, match="--only nobody: must match the name of a case"):
        suites.cases(re.compile("nobody"))
