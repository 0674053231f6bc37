"""Prints the include folder of the jaxlib to build against, without importing it."""

import sys

from find_tensorflow import candidates

HEADER = "xla/ffi/api/ffi.h"

if __name__ == "__main__":
    folders = [folder / "include" for folder in candidates("jaxlib")]
    found = [folder for folder in folders if (folder / HEADER).exists()]
    if not found:
        sys.exit("no jaxlib found beside this Python")
    print(found[0])
