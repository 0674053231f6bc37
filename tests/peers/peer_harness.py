"""Runs the tests that an installed package ships with its functions replaced by ours."""

import dataclasses
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from peer_differences import DIFFERENCES

HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Peer:
    """A file of tests.

    Attributes:
        package: Of which it is one.
        file: Inside of that.
        installs: The module that replaces functions.
        names: Which functions: an expression that is looked for in their names.
        selected: Which tests: an expression that is looked for in their names.
    """

    package: str
    file: str
    installs: str
    selected: str
    names: str = ""

    def path(self):
        """Of the file; None where it is not installed."""
        found = importlib.util.find_spec(self.package)
        if found is None:
            return None
        path = Path(found.origin).parent / self.file
        return path if path.exists() else None


PEERS = {
    "numpy": Peer(
        "numpy",
        "lib/tests/test_function_base.py",
        "peer_numpy",
        "^Test(Percentile|Quantile|Lerp|Median)::",
    ),
    "numpy-nan": Peer(
        "numpy",
        "lib/tests/test_nanfunctions.py",
        "peer_numpy",
        "^TestNanFunctions_(Median|Percentile|Quantile)::|test_nanfunc_q|test_nanfunc.nanmedian-",
        # NumPy's tests compare them with the others, which stay NumPy's.
        names="^nan",
    ),
    "scipy": Peer("scipy", "stats/tests/test_quantile.py", "peer_numpy", "^TestQuantile::"),
    "pandas-frame": Peer("pandas", "tests/frame/methods/test_quantile.py", "peer_numpy", ""),
    "pandas-series": Peer("pandas", "tests/series/methods/test_quantile.py", "peer_numpy", ""),
    "keras": Peer("keras", "src/ops/numpy_test.py", "peer_keras", "quantile|percentile|median"),
}


@dataclasses.dataclass
class Run:
    """How it went.

    Attributes:
        outcomes: By test: passed, failed or skipped (by the peer), and what was printed.
        listed: The reason, by test that `peer_differences` lists.
    """

    outcomes: dict
    listed: dict

    def of(self, outcome):
        """The tests that are not listed and went like that."""
        return [t for t, (o, _) in self.outcomes.items() if o == outcome and t not in self.listed]

    def stale(self):
        """Listed tests that do not fail, or fail for another reason."""
        found = []
        for test, reason in self.listed.items():
            outcome, text = self.outcomes[test]
            if outcome != "failed" or not re.search(DIFFERENCES[reason].shows, text):
                found.append(f"{test}: {reason}: {outcome}")
        return found

    def figures(self):
        """In one line."""
        listed = ", ".join(f"{n} {r}" for r, n in Counter(self.listed.values()).most_common())
        return (
            f"{len(self.outcomes)} selected: {len(self.of('passed'))} passed, "
            f"{len(self.of('failed'))} failed, {len(self.of('skipped'))} skipped by the peer, "
            f"{len(self.listed)} listed ({listed})"
        )


def run(peer, mode, fault="", only=None):
    """The peer's tests; `only` takes the place of its selection."""
    of = PEERS[peer]
    with tempfile.TemporaryDirectory() as folder:
        # Not this project's settings, nor the packages' caches.
        settings, report = Path(folder, "peer.ini"), Path(folder, "report.json")
        settings.write_text("[pytest]\n")
        site = Path(importlib.util.find_spec(of.package).origin).parents[1]
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-p", "peer_plugin", "-p", "no:cacheprovider"),
            *("-p", "no:xdist", "-c", settings, f"--rootdir={site}", "--tb=native"),
            *(f"--peer-installs={of.installs}", f"--peer-names={of.names}"),
            *(f"--peer-mode={mode}", f"--peer-fault={fault}"),
            *(f"--peer-selected={only or of.selected}", f"--peer-report={report}", of.path()),
        ]
        paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        environment.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(
            list(map(str, command)),
            cwd=folder,
            env={k: v for k, v in environment.items() if not k.startswith("PYTEST_XDIST")},
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        # 1: some tests failed.
        assert done.returncode in (0, 1), done.stdout[-4000:] + done.stderr[-4000:]
        outcomes = json.loads(report.read_text())
    return Run(outcomes, listed_of(peer, outcomes))


def listed_of(peer, outcomes):
    """The first reason of each listed test that the peer does not skip itself."""
    tests = [test for test, (outcome, _) in outcomes.items() if outcome != "skipped"]
    found = {}
    for reason, pattern in entries(peer):
        for test in tests:
            if re.fullmatch(pattern, test):
                found.setdefault(test, reason)
    return found


def entries(peer):
    """Each with its reason."""
    return [
        (reason, pattern)
        for reason, difference in DIFFERENCES.items()
        for pattern in difference.tests.get(peer, ())
    ]


def entries_of_nothing(peer, tests):
    """Those of no test that there is."""
    return [
        f"{reason}: {pattern}"
        for reason, pattern in entries(peer)
        if not any(re.fullmatch(pattern, test) for test in tests)
    ]
