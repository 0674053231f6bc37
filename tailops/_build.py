"""What this installation is made of."""

from typing import Any

from tailops import _kernels


def build_info() -> dict[str, Any]:
    """What this installation of tailops was built with.

    Returns:
        A dictionary: `tailops` and `tensorflow` versions, `compiler`, `cuda`, `xla` and `jax`
        (whether kernels for these are included), with CUDA its `cuda_toolkit` and the
        `cuda_architectures`, the `instruction_set` that the CPU kernels use
        and the `instruction_sets` that they could use here; the environment variable
        TAILOPS_INSTRUCTION_SET chooses one.

    Example:
        >>> import tailops
        >>> tailops.build_info()["tailops"] == tailops.__version__
        True
    """
    info: dict[str, Any] = _kernels.build_info()
    return info
