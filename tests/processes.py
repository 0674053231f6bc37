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


def run_workers(path, *arguments, count):
    """The same of a file in so many processes that find each other by TF_CONFIG."""
    from examples.two_workers import environments  # not among the tests, which are copied for GPUs

    command = [sys.executable, str(path), *map(str, arguments)]
    workers = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for environment in environments(count)
    ]
    try:
        errors = [worker.communicate(timeout=600)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    codes = [worker.returncode for worker in workers]
    assert not any(codes), f"{codes}: {errors}"


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
