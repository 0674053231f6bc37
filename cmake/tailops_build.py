"""The build backend: scikit-build-core, which gets a TensorFlow where none is installed.

A TensorFlow that is installed is what the ops are built against, in isolation too; only without
one does the isolated build ask for the version that tailops is tested with.
"""

import find_tensorflow
from scikit_build_core import build as scikit_build
from scikit_build_core.build import build_editable, build_sdist, build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

TESTED = "tensorflow==2.21.*"


def _tensorflow():
    return [] if find_tensorflow.find() else [TESTED]


def get_requires_for_build_sdist(config_settings=None):
    return scikit_build.get_requires_for_build_sdist(config_settings)


def get_requires_for_build_wheel(config_settings=None):
    return scikit_build.get_requires_for_build_wheel(config_settings) + _tensorflow()


def get_requires_for_build_editable(config_settings=None):
    return scikit_build.get_requires_for_build_editable(config_settings) + _tensorflow()
