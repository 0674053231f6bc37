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

    run_together([(path, *arguments)] * count, environments(count))


def run_together(commands, environments):
    """The same of several files with their arguments, which wait for each other."""
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
        for command, environment in zip(commands, environments, strict=True)
    ]
    try:
        printed = [process.communicate(timeout=600)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, text in zip(processes, printed, strict=True):
        assert process.returncode == 0, text


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
