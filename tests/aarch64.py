"""Programs for AArch64, compiled by a cross compiler and run in an emulator."""

import shutil
import subprocess

import pytest

COMPILER = shutil.which("aarch64-linux-gnu-g++")
EMULATOR = shutil.which("qemu-aarch64")
needs_emulator = pytest.mark.skipif(
    not (COMPILER and EMULATOR), reason="no aarch64-linux-gnu-g++ and qemu-aarch64"
)


def compiled(program, *arguments):
    """The command that runs a program of these sources and flags."""
    # Static, so that the emulator needs no libraries of AArch64's.
    subprocess.run([COMPILER, *arguments, "-static", "-o", program], check=True)
    # The program has one instruction set, whatever the tests run with.
    return [EMULATOR, "-U", "TAILOPS_INSTRUCTION_SET", program]
