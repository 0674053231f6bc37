"""JAX looks for files of NVIDIA's kernel module before it asks the driver: there are none here."""

import importlib.util

if importlib.util.find_spec("jax_cuda12_plugin") is not None:
    import jax._src.hardware_utils

    jax._src.hardware_utils.has_visible_nvidia_gpu = lambda: True
