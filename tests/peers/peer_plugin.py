"""A plugin of pytest for a peer's file of tests: it makes functions ours, selects, and reports.

It is loaded by `peer_harness` in a process of its own. Nothing happens when it is imported.
"""

import importlib
import json
import re
from pathlib import Path

OPTIONS = ("installs", "names", "mode", "fault", "selected", "report")


def pytest_addoption(parser):
    """What `peer_harness` passes."""
    for name in OPTIONS:
        parser.addoption(f"--peer-{name}", default="")


def pytest_configure(config):
    """Before any test is collected: parameters of tests are functions that are to be ours."""
    import hypothesis
    from peer_faults import FAULTS, Right
    from peer_modes import MODES

    option = {name: config.getoption(f"--peer-{name}") for name in OPTIONS}
    mode = MODES[option["mode"]]()
    fault = FAULTS.get(option["fault"], Right)()
    importlib.import_module(option["installs"]).install(mode, fault, option["names"])
    hypothesis.settings.register_profile("peers", deadline=None, derandomize=True)
    hypothesis.settings.load_profile("peers")
    config.pluginmanager.register(Report(option["selected"], Path(option["report"])))


class Report:
    """How each test went, into a file."""

    def __init__(self, selected, path):
        self._selected = re.compile(selected)
        self._path = path
        self._outcomes = {}

    def pytest_collection_modifyitems(self, config, items):
        """Only tests of these functions."""
        kept = [item for item in items if self._selected.search(short(item.nodeid))]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_setup(self):
        """What tests draw is the same each time, and such that a median shows its rounding."""
        import numpy as np

        np.random.seed(2)  # noqa: NPY002 - that is what they draw from

    def pytest_runtest_logreport(self, report):
        """The first that is not a pass stays."""
        name = short(report.nodeid)
        outcome, text = report.outcome, str(report.longrepr or "")
        if hasattr(report, "wasxfail"):
            outcome = "skipped"
        if self._outcomes.get(name, ("passed", ""))[0] == "passed":
            self._outcomes[name] = (outcome, text)

    def pytest_sessionfinish(self):
        """Read by `peer_harness`."""
        self._path.write_text(json.dumps(self._outcomes))


def short(nodeid):
    """Without the file."""
    return nodeid.split("::", 1)[1]
