"""These tests are skipped where TensorFlow sees no GPU."""

import pytest


@pytest.fixture(autouse=True)
def gpu():
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU")
