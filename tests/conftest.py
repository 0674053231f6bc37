"""Settings that must precede TensorFlow: quiet, on the CPU, and with two of those."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
if os.environ.get("TAILOPS_TEST_GPU") != "1":
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


HERE = Path(__file__).parent
# Their tests need no TensorFlow.
WITHOUT_TENSORFLOW = [
    HERE / name
    for name in ("emulated_gpu", "gpu/kernels", "kernels", "typing", "virtual_gpu", "with_jax")
]


def needs_tensorflow(item):
    return not any(item.path.is_relative_to(folder) for folder in WITHOUT_TENSORFLOW)


@pytest.fixture(scope="session", autouse=True)
def two_devices(request):
    """Logical devices, for the tests with replicas."""
    if not any(needs_tensorflow(item) for item in request.session.items):
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
