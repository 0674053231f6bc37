"""Code that needs an interpreter of its own."""

import os
import subprocess
import sys
import textwrap


def run_python(code, *arguments, **environment):
    """What the code printed; an assertion that shows its errors if it failed."""
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
