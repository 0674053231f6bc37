"""What the libraries' results have in common."""

from typing import Any

import numpy as np


def as_numpy(found: Any) -> np.ndarray[Any, Any]:
    """Of an array of any library."""
    return np.asarray(found.numpy() if hasattr(found, "numpy") else found)
