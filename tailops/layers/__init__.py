"""Keras layers.

`ErrorWindow` gives a model the memory that losses with a `window` need.
"""

from tailops.layers.error_window import ErrorWindow

__all__ = ["ErrorWindow"]
