"""Examples in docstrings that cannot run here are left out."""

import importlib.util

from tailops import build_info

if importlib.util.find_spec("jax") is None or not build_info()["jax"]:
    collect_ignore_glob = ["tailops/jax/*", "tailops/losses/_jax.py"]
