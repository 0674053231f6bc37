"""Code that needs an interpreter of its own."""

import os
import subprocess
import sys
import textwrap


def run_python(code, *arguments, **environment):
    """What the code printed; an assertion that shows its errors if it failed."""
    return _run("-c", textwrap.dedent(code), *arguments, **environment)


def run_script(path, *arguments, **environment):
    """The same of a file."""
    return _run(path, *arguments, **environment)


def _run(*command, **environment):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
