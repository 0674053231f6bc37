"""Settings that must precede TensorFlow: quiet, on the CPU, and with two of those."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


@pytest.fixture(scope="session", autouse=True)
def two_devices(request):
    """Logical devices, for the tests with replicas; those of kernels and JAX need no TensorFlow."""
    if all({"kernels", "with_jax"} & set(item.path.parts) for item in request.session.items):
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
