"""Prints the version and the folder of the TensorFlow to build against, without importing it.

Arguments: the folders of others to build against instead, for a line each. A build in isolation
hides the environment that the wheel is for, but runs on its interpreter: its site-packages are
looked at as well.
"""

import importlib.util
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

FRAMEWORK = "libtensorflow_framework.so.2"


def candidates(package):
    spec = importlib.util.find_spec(package)
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent
    for scheme in ("platlib", "purelib"):
        yield Path(sysconfig.get_path(scheme)) / package


def version_of(folder):
    for distribution in distributions(path=[str(folder.parent)]):
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name.startswith(("tensorflow", "tf-nightly")) and any(
            file.name == FRAMEWORK for file in distribution.files or ()
        ):
            return distribution.version
    return None


def find():
    for folder in candidates("tensorflow"):
        if (folder / FRAMEWORK).exists() and (version := version_of(folder)):
            return folder, version
    return None


if __name__ == "__main__":
    if len(sys.argv) > 1:
        found = [(Path(folder), version_of(Path(folder))) for folder in sys.argv[1:]]
    else:
        found = [find() or (None, None)]
    for folder, version in found:
        if version is None:
            sys.exit(f"no TensorFlow found {'beside this Python' if folder is None else folder}")
        print(folder, version, sep=";")
